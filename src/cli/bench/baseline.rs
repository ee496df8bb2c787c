//! Earlier runs, kept under a name.

use super::super::Failure;
use crate::loadgen::Export;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The file of a baseline in the folder that was given, or in the user's data folder.
pub(super) fn path(folder: Option<&Path>, name: &str) -> Result<PathBuf, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(Failure::usage(format_args!(
            "`{name}` is no name for a baseline: letters, digits, `-`, `_`, and `.` but not in front"
        )));
    }
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => data_folder()?,
    };
    Ok(folder.join(format!("{name}.json")))
}

/// An earlier run: a baseline's name, or the path of an export, which ends in `.json`.
pub(super) fn read(folder: Option<&Path>, name: &str) -> Result<Export, Failure> {
    let path = match Path::new(name).extension() {
        Some(ending) if ending == "json" => PathBuf::from(name),
        _ => path(folder, name)?,
    };
    let said =
        |error: &dyn std::fmt::Display| Failure::io(format_args!("{}: {error}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| said(&error))?;
    Export::read(&text).map_err(|error| said(&error))
}

/// Makes the folder that a baseline goes to.
pub(super) fn make_folder(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .map_err(|error| Failure::io(format_args!("{}: {error}", folder.display())))
}

/// As the XDG base directories say.
fn data_folder() -> Result<PathBuf, Failure> {
    let absolute = |name: &str| {
        let folder = env::var_os(name).map(PathBuf::from);
        folder.filter(|folder| folder.is_absolute())
    };
    let data = absolute("XDG_DATA_HOME").or_else(|| {
        let home = absolute("HOME")?;
        Some(home.join(OsStr::new(".local/share")))
    });
    let missing = || Failure::usage("neither XDG_DATA_HOME nor HOME is set: give --baseline-dir");
    Ok(data.ok_or_else(missing)?.join("sekisho/bench"))
}
