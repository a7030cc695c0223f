//! Reads the recorded test vectors; compiled for tests only.

use std::path::Path;

/// The text of one file: from the folder `$CODEWELL_VECTORS` names, else from `tests/fixtures/vectors`.
#[expect(clippy::disallowed_methods, reason = "a test may be pointed at other vectors of the same form")]
pub(crate) fn read(file: &str) -> String {
    let folder = std::env::var("CODEWELL_VECTORS")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vectors").to_owned());
    let path = Path::new(&folder).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| unreachable!("{}: {error}", path.display()))
}
