//! A run written to files, each whole or not at all.

use super::super::Failure;
use crate::io::{OutputError, OutputFile};
use crate::loadgen::{Export, report};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A file to write, in the form that its ending says.
#[derive(Clone, Debug)]
pub(super) struct Target {
    path: PathBuf,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Json,
    Markdown,
    Csv,
    Html,
}

impl Target {
    /// JSON, whatever the ending.
    pub(super) fn json(path: PathBuf) -> Self {
        Self {
            path,
            form: Form::Json,
        }
    }

    /// Opens the file, so that a run does not find out at its end that it cannot.
    pub(super) fn create(&self) -> Result<Opened, Failure> {
        let file = OutputFile::create(&self.path).map_err(|error| failed(&error))?;
        Ok(Opened {
            file,
            form: self.form,
        })
    }
}

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = Path::new(text);
        let form = match path.extension().and_then(|ending| ending.to_str()) {
            Some("json") => Form::Json,
            Some("md") => Form::Markdown,
            Some("csv") => Form::Csv,
            Some("html") => Form::Html,
            _ => return Err("the file's name must end in .json, .md, .csv or .html"),
        };
        Ok(Self {
            path: path.to_owned(),
            form,
        })
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Opened {
    file: OutputFile,
    form: Form,
}

impl Opened {
    /// Writes the run, and gives the file its name.
    pub(super) fn finish(mut self, export: &Export) -> Result<(), Failure> {
        let bytes = match self.form {
            Form::Json => export.to_json()?.into_bytes(),
            Form::Markdown => report::markdown(export).into_bytes(),
            Form::Html => report::html(export).into_bytes(),
            Form::Csv => report::csv(export).map_err(Failure::io)?,
        };
        let written = self.file.write_all(&bytes);
        written.map_err(|cause| failed(&self.file.error(cause)))?;
        self.file.finish().map_err(|error| failed(&error))
    }
}

fn failed(error: &OutputError) -> Failure {
    Failure::io(error)
}
