//! A test that lacks a tool says so and is counted; where the tool must be there, it fails.

use std::io::Write;

/// Says that this test did not run for want of `tool`, such as `postgresql` or `chromium`.
///
/// Prints `SKIPPED: <tool>: <test>`, and adds that line to the file named by `CODEWELL_SKIPS`, which `test.sh` counts.
/// Under `CI=true` nothing may be missing: it panics.
pub(crate) fn skip(tool: &str) {
    assert!(!is_set_to("CI", "true"), "{tool} is missing, and under CI=true no test may be skipped");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("SKIPPED: {tool}: {test}\n");
    eprint!("{line}");
    if let Some(file) = variable("CODEWELL_SKIPS") {
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(&file);
        // One write of a short line: lines of tests that run side by side do not mix.
        let written = opened.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(written.is_ok(), "the skip could not be counted in {file}: {written:?}");
    }
}

fn is_set_to(name: &str, value: &str) -> bool {
    variable(name).as_deref() == Some(value)
}

#[expect(clippy::disallowed_methods, reason = "switches of the test run itself, not settings of the product")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
