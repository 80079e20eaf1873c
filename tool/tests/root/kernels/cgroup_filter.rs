//! The cgroup filter on an older kernel.

use crate::support::vm;

/// Shell: an exec in the root cgroup, in a cgroup, and in the cgroup below it.
const CGROUPS: &str = "\
mkdir /tmp/cgroups; mount -t cgroup2 none /tmp/cgroups; mkdir -p /tmp/cgroups/outer/inner
/pfsnoop -x -c /tmp/cgroups/outer -o json -v > /tmp/records 2> /tmp/said & snoop=$!
tries=0
until grep -q attached /tmp/said || [ $tries = 100 ]; do sleep 0.1; tries=$((tries+1)); done
for cgroup in . outer outer/inner; do
    sh -c 'echo $$ > /tmp/cgroups/$0/cgroup.procs; exec /odd-exec exit 0 \"m-$0\"' $cgroup
done
sleep 1; kill -INT $snoop; wait $snoop || cat /tmp/said
cat /tmp/records";

#[test]
fn cgroups_are_filtered_on_linux_5_10() {
    let printed = vm::run("5.10", "", CGROUPS);
    let marks: Vec<&str> = printed.split('"').filter(|word| word.starts_with("m-")).collect();
    assert_eq!(marks, ["m-outer", "m-outer/inner"], "{printed}");
}
