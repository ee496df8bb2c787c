use std::io::ErrorKind;
use std::process::Command;

/// Runs a command to its end; what it printed. One that fails ends the test, with what it said.
pub(crate) fn run(command: &mut Command) -> String {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "{} is not installed: tests/packages.sh installs what the live tests need",
            command.get_program().display()
        ),
        Err(error) => panic!("{command:?}: {error}"),
    };
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
