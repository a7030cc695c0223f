# Short names for what the README does in full. `just --list`

# embedded database, demo campaigns, a phone in the browser
demo *args:
    cargo run --release -- demo {{args}}

# all tests, or one of: quick lib it browser
test *what:
    ./test.sh {{what}}

# what a change must pass
ci:
    ./.ci/run

# format, then the lints
tidy:
    cargo fmt --all
    cargo clippy --workspace --all-targets --features faults -- -D warnings
