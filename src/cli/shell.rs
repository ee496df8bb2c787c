//! What a shell wants of a command: completions, and man pages.

use super::{Cli, Exit, Failure, out};
use clap::CommandFactory;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Which shell.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write one page for each command into this folder, which must exist.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sekisho", &mut text);
    out::print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Ok)
}

pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    // `sekisho help` has no page of its own, so no page may refer to one.
    let command = Cli::command().disable_help_subcommand(true);
    match &args.folder {
        Some(folder) => clap_mangen::generate_to(command, folder)
            .map_err(|error| Failure::io(format_args!("{}: {error}", folder.display())))?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            out::print(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(Exit::Ok)
}
