//! Where PostgreSQL is installed.

use std::path::PathBuf;

use crate::harness::skips;

/// The folder that holds `initdb` and `postgres`: `$PG_BIN`, then PATH, then the newest versioned folder.
pub(super) fn find_binaries() -> Option<PathBuf> {
    let given = skips::variable("PG_BIN").map(PathBuf::from);
    let path = skips::variable("PATH").unwrap_or_default();
    let on_path = path.split(':').map(PathBuf::from);
    let folders = given.into_iter().chain(on_path).chain(versioned_folders());
    folders.into_iter().find(|folder| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file()))
}

/// Where distributions keep servers side by side, newest first.
fn versioned_folders() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt"]
        .iter()
        .filter_map(|root| std::fs::read_dir(root).ok())
        .flat_map(|entries| entries.filter_map(Result::ok))
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.trim_start_matches("postgresql@").parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}
