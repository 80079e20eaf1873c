//! Man pages and shell completions, made from the clap tree: `pages FOLDER`.

use std::fs::create_dir_all;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;
use clap_complete::Shell;
use pfsnoop::cli::Cli;

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).context("usage: pages FOLDER")?;
    let folder = PathBuf::from(folder);
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    create_dir_all(&man)?;
    create_dir_all(&completions)?;
    clap_mangen::generate_to(Cli::command(), &man).context("cannot write the man pages")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Cli::command(), "pfsnoop", &completions)
            .context("cannot write the completions")?;
    }
    Ok(())
}
