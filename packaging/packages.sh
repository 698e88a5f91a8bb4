# Debian 12 / Ubuntu 24.04 packages Bitlens needs, and how to install what is missing. Sourced by ./run and ./test.

build_packages=(
  g++ cmake ninja-build ccache pkg-config
  qt6-base-dev qt6-tools-dev qt6-tools-dev-tools qt6-l10n-tools qt6-svg-dev libgl-dev
  libqcustomplot-dev libeigen3-dev libhdf5-dev libhwy-dev
  nlohmann-json3-dev libcli11-dev libfmt-dev libexpected-dev libpcre2-dev libssl-dev
)
run_packages=(qt6-translations-l10n fonts-dejavu-core fonts-wqy-microhei)
test_packages=(
  xvfb xauth xdotool openbox imagemagick
  python3 python3-numpy python3-h5py python3-xarray python3-h5netcdf python3-netcdf4
)

step() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# install_missing PACKAGE...: installs those that are absent, as root or through sudo; says what it does.
install_missing() {
  command -v apt-get >/dev/null 2>&1 || die "apt-get not found: install these yourself, then use --no-install: $*"
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    step "all $# packages are installed"
    return
  fi
  step "installing ${#missing[@]} packages: ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || die "run as root, or install sudo, or install by hand: ${missing[*]}"
    root=(sudo)
  fi
  "${root[@]}" apt-get update -q
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# build_release [CMAKE_ARGUMENT...]: configures and builds the release preset inside the clone.
build_release() {
  export CCACHE_DIR="${CCACHE_DIR:-$PWD/build/ccache}" # nothing is written outside the clone
  step "configuring (build/release)"
  cmake --preset release "$@" >build/configure.log 2>&1 || { cat build/configure.log >&2; die "configuring failed"; }
  step "building"
  cmake --build --preset release
}
