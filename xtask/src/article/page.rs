//! `docs/article.md`: what was seen, and the words around it.

use std::process::Command;

use anyhow::Result;

use super::act::{Act, CURL};
use super::cluster::POD;
use super::{docker, kubelet};
use crate::run::stdout_of;

/// The article that this page repeats.
const ARTICLE: &str =
    "https://prefetch.net/blog/2018/02/03/how-the-kubectl-port-forward-command-works/";

/// The page.
pub(super) struct Page {
    pub(super) pods: String,
    pub(super) works: Act,
    pub(super) fails: Act,
    pub(super) doctor: String,
}

impl Page {
    pub(super) fn render(&self) -> Result<String> {
        let parts =
            [introduction()?, self.forward(), self.tracers(), self.watch(), self.without_socat()];
        Ok(parts.join("\n"))
    }

    fn forward(&self) -> String {
        format!(
            "## The forward\n\n\
             The pod is a static pod: the kubelet starts it from a file, and adds the name of the node to its name.\n\n\
             {}\n\
             `kubectl port-forward` listens, and `curl` makes one request:\n\n\
             {}\n{}",
            console("$ kubectl get pods -o wide", &self.pods),
            console(&typed_forward(), &self.works.kubectl),
            console(&typed_curl(), &self.works.curl),
        )
    }

    fn tracers(&self) -> String {
        format!(
            "## The exec\n\n\
             The kubelet starts nsenter, which enters the network namespace of the pod and becomes socat. \
             execsnoop and `pfsnoop` print the same row:\n\n\
             {}\n{}",
            console("# execsnoop -n nsenter", &self.works.traced.execsnoop),
            console("# pfsnoop -n nsenter", &self.works.traced.pfsnoop),
        )
    }

    fn watch(&self) -> String {
        format!(
            "## The session\n\n\
             `pfsnoop watch` shows the same forward with the name of the pod, the forwarder, the bytes and the end. \
             After Ctrl-C, it prints the totals:\n\n\
             {}",
            console("# pfsnoop watch | cat", &self.works.traced.watch),
        )
    }

    fn without_socat(&self) -> String {
        let traced = &self.fails.traced;
        format!(
            "## Without socat\n\n\
             Now socat is removed from the node, and everything else stays as it is:\n\n\
             {}\n{}\n\
             The kubelet looks for socat before it starts nsenter. So no process starts, and no tracer shows anything:\n\n\
             {}\n{}\n{}\n\
             `pfsnoop doctor` looks for socat where the kubelet does:\n\n\
             {}",
            console(&typed_forward(), &self.fails.kubectl),
            console(&typed_curl(), &self.fails.curl),
            console("# execsnoop -n nsenter", &traced.execsnoop),
            console("# pfsnoop -n nsenter", &traced.pfsnoop),
            console("# pfsnoop watch | cat", &traced.watch),
            console("# pfsnoop doctor", &self.doctor),
        )
    }
}

fn introduction() -> Result<String> {
    let linux = stdout_of(Command::new("uname").arg("-r"))?;
    // The rest names the build of this kernel.
    let linux = linux.trim().split('-').next().unwrap_or_default();
    let pfsnoop = stdout_of(Command::new("pfsnoop").arg("--version"))?;
    Ok(format!(
        "# The article, run again\n\n\
         In 2018, an article explained [how the kubectl port-forward command works]({ARTICLE}): \
         the kubelet runs `nsenter -t PID -n socat - TCP4:localhost:PORT` on the node of the pod. \
         The article shows this process with `execsnoop -n nsenter`, and the error of kubectl on a node without socat.\n\n\
         `cargo xtask article`, as root, runs the article again and writes this page. \
         It builds a kubelet with dockershim, which Kubernetes removed in 1.24, and starts it with Docker and an API server. \
         They run in namespaces of their own, and nothing of them is left afterwards. \
         They are used as they are, except that containers get no negative `oom_score_adj`, which root may not be allowed to set. \
         The first build takes about 7 minutes on two cores.\n\n\
         Everything in the boxes is printed by these programs:\n\n\
         | program | version |\n| --- | --- |\n\
         | kubelet, kube-apiserver, kubectl | {} |\n\
         | Docker | {} |\n\
         | nsenter (util-linux), socat | {}, {} |\n\
         | execsnoop (libbpf-tools) | {} |\n\
         | pfsnoop | {} |\n\
         | Linux | {linux} |\n",
        kubelet::version()?,
        docker::version()?.trim(),
        version_of("util-linux")?,
        version_of("socat")?,
        version_of("libbpf-tools")?,
        pfsnoop.trim().trim_start_matches("pfsnoop "),
    ))
}

/// The version of an installed package.
fn version_of(package: &str) -> Result<String> {
    let version = stdout_of(Command::new("dpkg-query").args([
        "--show",
        "--showformat",
        "${Version}",
        package,
    ]))?;
    Ok(version.split(['-', '+']).next().unwrap_or_default().to_owned())
}

fn typed_forward() -> String {
    format!("$ kubectl port-forward {POD} 8080:8080")
}

fn typed_curl() -> String {
    format!("$ {}", CURL.join(" "))
}

/// A command as one types it, and what it printed.
fn console(typed: &str, printed: &str) -> String {
    format!("```console\n{typed}\n{}\n```\n", printed.trim_end())
}
