#!/usr/bin/env bash
# Everything a full test needs, then all tests. Needs Rust and a C compiler; the rest it finds, installs or reports.
#
#   ./test.sh            all tests
#   ./test.sh quick      library, house rules, and the `it` tests not named slow_… or browser…
#   ./test.sh lib | it | browser     only these
#
# PostgreSQL, Kannel, Python and Chromium are installed with apt-get only as root or under CI=true; at a terminal you are asked.
# Python's packages (tests/interop/requirements.txt) go into the target directory, nowhere else.
# Elsewhere the tests that need them are skipped and named. Under CI=true nothing may be missing.
# The last line is always: passed N, failed N, skipped N (names)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

what=${1:-all}
case $what in
  all | quick | lib | it | browser) ;;
  *) echo "usage: ./test.sh [quick|lib|it|browser]" >&2; exit 2 ;;
esac

ci=${CI:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CODEWELL_SKIPS="$work/skips"
: >"$CODEWELL_SKIPS"
# A snapshot that differs is a failure, not a new file beside the sources.
export INSTA_UPDATE=no

started=$SECONDS
phase() {
  finish_phase
  phase_name=$1 started=$SECONDS
  printf '== %s\n' "$1"
}
finish_phase() {
  [ -z "${phase_name:-}" ] || printf '== %s: %d s\n\n' "$phase_name" $((SECONDS - started))
  phase_name=
}

# --- tools -----------------------------------------------------------------------------------------------------

have() { command -v "$1" >/dev/null 2>&1; }
have_postgresql() {
  local folder
  for folder in ${PG_BIN:+"$PG_BIN"} $(printf '%s' "$PATH" | tr ':' ' ') /usr/lib/postgresql/*/bin; do
    [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] && return
  done
  return 1
}
# The programs only: a service of theirs that the packages started has other ports than the tests.
have_kannel() {
  local folder
  for folder in $(printf '%s' "$PATH" | tr ':' ' ') /usr/sbin; do
    [ -x "$folder/bearerbox" ] && [ -x "$folder/smsbox" ] && [ -x /usr/lib/kannel/test/fakesmsc ] && return
  done
  return 1
}
# With the packages that the interop tests use, in an environment of their own.
have_python() {
  have python3 && tests/interop/venv.sh >"$work/python.log" 2>&1 && return
  [ ! -s "$work/python.log" ] || tail -n 3 "$work/python.log"
  return 1
}
have_chromium() {
  { have chromium || have chromium-browser || have google-chrome; } && have chromedriver
}

# May packages be installed? Says with which prefix in $as_root. Only a person at a terminal can allow sudo.
may_install() {
  have apt-get || return 1
  as_root=
  if [ "$(id -u)" -eq 0 ] || [ "$ci" = true ]; then return; fi
  [ -t 0 ] && [ -t 1 ] && have sudo || return 1
  as_root=sudo
  local answer
  read -r -p "$1 is missing. Install it with sudo apt-get? [y/N] " answer
  [ "$answer" = y ] || [ "$answer" = Y ]
}

updated=
install() { # package…
  if [ -z "$updated" ]; then
    $as_root apt-get update -q >"$work/apt.log" 2>&1 || true
    updated=yes
  fi
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" \
    >>"$work/apt.log" 2>&1 || { tail -n 5 "$work/apt.log"; return 1; }
}

missing=
ensure() { # name package…
  local name=$1
  shift
  if "have_$name"; then echo "$name: there"; return; fi
  if may_install "$name" && echo "$name: installing $*" && install "$@" && "have_$name"; then
    echo "$name: installed"
    return
  fi
  echo "$name: not found; the tests that need it are skipped"
  missing="$missing $name"
}

phase "tools"
[ "$what" = lib ] || [ "$what" = browser ] || ensure postgresql postgresql
[ "$what" = lib ] || [ "$what" = browser ] || ensure kannel kannel kannel-extras
[ "$what" = lib ] || [ "$what" = browser ] || ensure python python3 python3-venv
case $what in all | browser) ensure chromium chromium chromium-driver ;; esac
if [ "$ci" = true ] && [ -n "$missing" ]; then
  echo "missing under CI=true:$missing"
  echo "passed 0, failed 1, skipped 0 (none)"
  exit 1
fi

# --- tests -----------------------------------------------------------------------------------------------------

failed_runs=0
run() { # arguments of cargo test
  # Colour codes would hide the result lines from the sums below.
  cargo test --locked --features faults --no-fail-fast --color never "$@" 2>&1 | tee -a "$work/log" || failed_runs=1
}

phase "tests ($what)"
: >"$work/log"
case $what in
  all) run --workspace ;;
  quick)
    run --lib
    run --test house_rules --test it -- --skip slow_ --skip browser
    ;;
  lib) run --lib ;;
  it) run --test it ;;
  browser) run --test browser ;;
esac
finish_phase

# --- sums ------------------------------------------------------------------------------------------------------

sum() { # word of the "test result:" lines
  awk -v word="$1" '/^test result:/ { for (i = 2; i <= NF; i++) if ($i ~ "^" word) n += $(i - 1) } END { print n + 0 }' "$work/log"
}
# cargo counts a test that skipped itself as passed; we do not. #[ignore] is a skip too.
sort -u "$CODEWELL_SKIPS" >"$work/skipped"
skipped_tests=$(wc -l <"$work/skipped")
ignored=$(sum ignored)
failed=$(sum failed)
passed=$(($(sum passed) - skipped_tests))
names=$(awk -F': ' '{ print $2 }' "$work/skipped" | sort -u)
[ "$ignored" -eq 0 ] || names="$names ignored"
names=$(echo $names | sed 's/ /, /g')

# A build that broke, or a binary that died before it could report, has no line of its own.
if [ "$failed_runs" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
# Nothing ran is no success.
if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ] && [ "$skipped_tests" -eq 0 ]; then
  echo "no test ran"
  failed=1
fi

echo "$passed passed, $failed failed"
echo "passed $passed, failed $failed, skipped $((skipped_tests + ignored)) (${names:-none})"
[ "$failed" -eq 0 ]
