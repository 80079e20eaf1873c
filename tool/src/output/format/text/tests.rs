//! Rows of execs and exits, compared with execsnoop's.

use super::columns::Columns;
use crate::model::{Arg, Args, Container, End, ExecEvent, ExitEvent, Owner, Pod};

impl Columns {
    fn row_of(&self, exec: &ExecEvent) -> String {
        self.row(exec, &Owner::default())
    }
}

fn exec(args: &[&[u8]]) -> ExecEvent {
    ExecEvent {
        time_ns: 12_345_678_901,
        pid: 25898,
        ppid: 976,
        uid: 1000,
        comm: b"nsenter"[..].into(),
        filename: Some(b"/usr/bin/nsenter"[..].into()),
        args: Args { list: args.iter().map(|&arg| Arg::Text(arg)).collect(), ..Args::default() },
        ..ExecEvent::default()
    }
}

#[test]
fn default_rows_are_the_same_as_execsnoops() {
    let columns = Columns::default();
    assert_eq!(columns.header(), "PCOMM            PID    PPID   RET ARGS");
    let args: Vec<&[u8]> = "/usr/bin/nsenter -t 4947 -n /usr/bin/socat - TCP4:localhost:8080"
        .split(' ')
        .map(str::as_bytes)
        .collect();
    assert_eq!(
        columns.row_of(&exec(&args)),
        "nsenter          25898  976      0 /usr/bin/nsenter -t 4947 -n /usr/bin/socat - TCP4:localhost:8080"
    );
}

#[test]
fn optional_columns_keep_their_headers() {
    let columns = Columns {
        time: true,
        timestamp_since: Some(2_345_000_000),
        uid: true,
        ..Columns::default()
    };
    assert_eq!(columns.header(), "TIME     TIME(s) UID    PCOMM            PID    PPID   RET ARGS");
    let row = columns.row_of(&exec(&[b"x"]));
    assert_eq!(&row[8..], " 10.000  1000   nsenter          25898  976      0 x");
    let mut later = exec(&[b"x"]);
    later.time_ns += 1_000_000_000_000;
    assert!(
        columns.row_of(&later)[8..].starts_with(" 1010.000 1000 "),
        "the columns keep a space between them"
    );
}

#[test]
fn wide_rows_show_pod_and_container() {
    let columns = Columns { wide: true, ..Columns::default() };
    let container = Container {
        id: "0123456789abcdef".into(),
        runtime: "docker",
        name: None,
        is_confirmed: true,
        is_disputed: false,
    };
    let pod = Pod { namespace: "default".into(), name: "kuard".into(), uid: String::new() };
    let owner = Owner { container: Some(container), pod: Some(pod), is_claimed: false };
    let row = columns.row(&exec(&[b"x"]), &owner);
    assert_eq!(&row[35..], "-          default/kuard                0123456789ab         x");
    let with_netns = ExecEvent { netns: Some(4_026_531_840), ..exec(&[b"x"]) };
    assert!(columns.row(&with_netns, &owner)[35..].starts_with("4026531840 default/kuard "));
    let header = columns.header();
    for column in ["NETNS", "POD", "CONTAINER", "ARGS"] {
        assert!(row.as_bytes()[header.find(column).unwrap() - 1] == b' ', "{column}");
    }
}

#[test]
fn only_a_row_that_was_cut_ends_with_dots() {
    let columns = Columns { max_args: 2, ..Columns::default() };
    assert!(columns.row_of(&exec(&[b"a", b"b"])).ends_with(" a b"));
    assert!(columns.row_of(&exec(&[b"a", b"b", b"c"])).ends_with(" a b ..."));
    let mut cut = exec(&[b"a"]);
    cut.args.cut = true;
    assert!(columns.row_of(&cut).ends_with(" a ..."));
}

#[test]
fn quoted_arguments_escape_quotes_and_control_characters() {
    let columns = Columns { quote: true, ..Columns::default() };
    assert!(columns.row_of(&exec(&[b"a\"b", b"", b"c\nd"])).ends_with(r#" "a\"b" "" "c\nd""#));
    let [one, two] =
        [&[&br#"a" "b"#[..]][..], &[br#"a\" \"b"#]].map(|args| columns.row_of(&exec(args)));
    assert!(one.ends_with(r#" "a\" \"b""#) && two.ends_with(r#" "a\\\" \\\"b""#), "{one} {two}");
}

#[test]
fn no_argument_looks_like_a_mark() {
    let mut event = exec(&[b"<unreadable>", b"a ...", b"..."]);
    let quoted = Columns { quote: true, ..Columns::default() };
    assert!(Columns::default().row_of(&event).ends_with(r"0 \x3cunreadable> a \x2e.. \x2e.."));
    assert!(quoted.row_of(&event).ends_with(r#"0 "<unreadable>" "a ..." "...""#));
    event.args.cut = true;
    assert!(Columns::default().row_of(&event).ends_with(r" \x2e.. ..."));
    assert!(quoted.row_of(&event).ends_with(r#" "..." ..."#));
}

#[test]
fn text_that_a_process_chooses_is_escaped() {
    let mut event = exec(&[b"\x1b[31m"]);
    event.comm = b"a\nb"[..].into();
    let row = Columns::default().row_of(&event);
    assert!(row.starts_with(r"a\nb  ") && row.ends_with(r" \x1b[31m"), "{row}");
}

#[test]
fn a_bare_program_name_is_replaced_by_the_file_and_another_name_stays() {
    let columns = Columns::default();
    assert!(
        columns.row_of(&exec(&[b"nsenter", b"nsenter"])).ends_with("0 /usr/bin/nsenter nsenter")
    );
    assert!(columns.row_of(&exec(&[b"-bash"])).ends_with("0 -bash"));
}

#[test]
fn an_exit_row_has_the_exit_code_or_signal_and_the_duration() {
    let mut exit = ExitEvent {
        time_ns: 2_512_900_000,
        start_ns: 1_000_000_000,
        pid: 25898,
        ppid: 976,
        uid: 0,
        comm: b"socat"[..].into(),
        netns: None,
        end: End::Exited(1),
    };
    let row = Columns::default().exit_row(&exit);
    assert_eq!(row, "socat            25898  976      - exit 1 after 1.512 s");
    exit.end = End::Killed(9);
    assert!(Columns::default().exit_row(&exit).ends_with("- killed by SIGKILL after 1.512 s"));
    exit.end = End::Killed(40);
    exit.start_ns = 0;
    assert!(Columns::default().exit_row(&exit).ends_with("- killed by signal 40"));
}

#[test]
fn an_unreadable_argument_is_marked() {
    let mut event = exec(&[b"a"]);
    event.args.list = [Arg::Text(b"a"), Arg::Unreadable].into_iter().collect();
    assert!(Columns::default().row_of(&event).ends_with(" a <unreadable>"));
    event.args = Args { unreadable: true, ..Args::default() };
    assert!(Columns::default().row_of(&event).ends_with("0 <unreadable>"));
}
