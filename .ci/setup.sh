# shellcheck shell=bash
# Shared by ./run, ./test and .ci/run: sets the machine up and builds. Source it; it needs bash with set -euo pipefail.
# Everything it says goes to standard error, and nothing reads standard input: both belong to the program.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

say() { printf '%s\n' "$*" >&2; }

# packages_of SECTION...: the packages of these sections of .ci/packages, one a line.
packages_of() {
  awk -v wanted=" $* " '
    /^#/ || /^$/ { next }
    /^\[/ { name = substr($0, 2, length($0) - 2); take = index(wanted, " " name " "); next }
    take { print $1 }' "$root/.ci/packages"
}

# need_packages SECTION...: installs what is missing, and only that.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "This is no Debian: the equivalents of the packages in .ci/packages have to be there."
    return
  fi
  local wanted missing=() name
  mapfile -t wanted < <(packages_of "$@")
  local -A installed=()
  while read -r name; do installed[${name%%:*}]=1; done < <(
    dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p')
  for name in "${wanted[@]}"; do
    [[ -n ${installed[$name]:-} ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    say "Packages are missing. Install them as root, then start this again:"
    say "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
    exit 1
  fi
  say "Installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  local log
  log=$(mktemp)
  if ! { apt-get -q update && apt-get -q -y install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    say "The packages could not be installed."
    exit 1
  fi
  rm -f "$log"
}

# build PRESET DIR [TARGET]: configures when it must and builds; silent when there is nothing to do.
build() {
  local preset=$1 dir=$root/$2 target=${3:-all} quiet=(--quiet) options=()
  [[ -z ${CI:-} ]] || options+=(-DSCRY_WERROR=ON)
  if [[ ! -f $dir/build.ninja ]] ||
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$dir/CMakeCache.txt" 2>/dev/null; then
    say "Configuring ${dir#"$root"/}"
    mkdir -p "$dir"
    if ! (cd "$root" && cmake --preset "$preset" --fresh "${options[@]}") >"$dir/configure.log" 2>&1 </dev/null; then
      cat "$dir/configure.log" >&2
      exit 1
    fi
    say "Building (the first time takes a few minutes)"
    quiet=()
  fi
  if ! cmake --build "$dir" --target "$target" -- "${quiet[@]}" 2>&1 </dev/null |
    sed -u '/^ninja: no work to do\.$/d' >&2; then
    say "The build failed."
    exit 1
  fi
}
