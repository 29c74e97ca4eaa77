#!/usr/bin/env bash
# Sets dfme up in a virtual environment of its own; run it again at any time to bring that up to date.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: ./install.sh [--with EXTRA,...] [--dev]

Installs dfme with all it needs into .venv beside this script (or into $DFME_VENV).
  --with  parts that not every machine needs: training, lsl, postgres, onnx, cluster, tensorrt, ...
          (all are in pyproject.toml, optional-dependencies)
  --dev   from this folder, editable, with what the tests and checks need
  $PYTHON names the Python to use (3.11 or newer); by default python3, or a python3.x beside it.
TEXT
}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

# Runs a command without its chatter, unless it fails.
quietly() {
  local log
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    rm -f "$log"
  else
    local status=$?
    cat "$log" >&2
    rm -f "$log"
    return "$status"
  fi
}

is_suitable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
  local name
  if [[ -n ${PYTHON:-} ]]; then
    is_suitable "$PYTHON" || fail "PYTHON=$PYTHON is not Python 3.11 or newer: name another one, or unset it"
    command -v "$PYTHON"
    return
  fi
  # The distribution's own first: it is the one that apt can complete.
  for name in python3 python3.11 python3.12 python3.13 python3.14; do
    if is_suitable "$name"; then
      command -v "$name"
      return
    fi
  done
  fail "no Python 3.11 or newer here ($(python3 --version 2>/dev/null || echo 'not even an old one')):" \
    "install one (sudo apt-get install python3, or python3.11 where that is older), or name it: PYTHON=/path/to/python3 ./install.sh"
}

has_compiler() { command -v "${CXX:-c++}" >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null; }

has_library() { "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" >/dev/null 2>&1; }

has_doctest() { compgen -G '/usr/include/doctest/doctest.h' >/dev/null || compgen -G '/usr/local/include/doctest/doctest.h' >/dev/null; }

# Installs distribution packages; the only step that needs administrator rights.
apt_install() {
  local as_root=()
  command -v apt-get >/dev/null ||
    fail "missing: $*. This system has no apt-get: install their equivalents, then run this again"
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail "missing: $*. Ask an administrator to run: apt-get install $*"
    say "Installing $* from the distribution; sudo may ask for your password, as this needs administrator rights."
    as_root=(sudo)
  else
    say "Installing $* from the distribution."
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y)
  quietly "${apt[@]}" update || say "The package lists could not be refreshed; trying with the old ones."
  quietly "${apt[@]}" install --no-install-recommends "$@" ||
    fail "apt-get could not install $*: see above, or install them by hand"
}

dev=0
extras=
while (($#)); do
  argument=$1
  shift
  case $argument in
  --dev) dev=1 ;;
  --with)
    [[ ${1:-} =~ ^[a-z,]+$ ]] || fail "--with needs names of extras, such as: --with training,lsl"
    extras+=,$1
    shift
    ;;
  -h | --help)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
  esac
done

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
venv=${DFME_VENV:-$root/.venv}
[[ $venv == /* ]] || venv=$PWD/$venv
[[ $(uname -s) == Linux ]] || fail "dfme records on Linux only, this is $(uname -s)"

python=$(find_python)
version=$("$python" -c 'import sys; print(f"{sys.version_info.major}.{sys.version_info.minor}")')

base=$("$python" -c 'import sys; print(sys.base_prefix)')
missing=()
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
  [[ $base == /usr ]] || fail "$python comes without ensurepip: install it again with it, or name another: PYTHON=..."
  missing+=("python$version-venv")
fi
# The camera's binding is linked with the interpreter's shared library, which distributions keep in a package of its own.
if ! has_library "libpython$version.so.1.0"; then
  [[ $base == /usr ]] ||
    fail "$python comes without libpython$version.so.1.0, which the camera's binding loads: name another Python: PYTHON=..."
  missing+=("libpython$version")
fi
# What OpenCV and MediaPipe load; a machine without a desktop has none of it.
for needed in libGL.so.1=libgl1 libglib-2.0.so.0=libglib2.0-0 libxcb.so.1=libxcb1 libEGL.so.1=libegl1 libGLESv2.so.2=libgles2; do
  has_library "${needed%=*}" || missing+=("${needed#*=}")
done
has_compiler || missing+=(g++)
if ((dev)) && ! has_doctest; then missing+=(doctest-dev); fi
if ((dev)); then
  command -v Xvfb >/dev/null || missing+=(xvfb)
  command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core)
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
fi
if ((${#missing[@]})); then apt_install "${missing[@]}"; fi

if is_suitable "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  say "Using the virtual environment $venv."
else
  if [[ -e $venv && ! -e $venv/pyvenv.cfg ]] && [[ -n $(ls -A -- "$venv" 2>/dev/null) ]]; then
    fail "$venv is there and is no virtual environment: move it away, or set DFME_VENV to another place"
  fi
  say "Making the virtual environment $venv with Python $version."
  quietly "$python" -m venv --clear "$venv" || fail "the virtual environment $venv could not be made: see above"
fi

say "Installing dfme and the packages it needs; the first time takes some minutes."
pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
if ((EUID == 0)); then pip+=(--root-user-action=ignore); fi
if ((dev)); then
  "${pip[@]}" --editable "$root[dev$extras]" || fail "pip could not install dfme: see above"
else
  "${pip[@]}" "$root${extras:+[${extras#,}]}" || fail "pip could not install dfme: see above"
fi

bin=$venv/bin
[[ $bin != "$PWD"/* ]] || bin=${bin#"$PWD"/}
bin=$(printf '%q' "$bin")
say "Done. Record with the simulated camera, 500 frames a second:"
say "    $bin/dfme-capture --fps 500"
if ((dev)); then
  say "Run the tests (from $root):"
  say "    $bin/python -m pytest"
fi
