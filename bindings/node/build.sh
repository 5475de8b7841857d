#!/usr/bin/env bash
# Builds the addon, packs the package and that of this platform into target/npm, and installs both into
# target/node-test, a folder that holds nothing else of this repository.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' \
  || { echo "error: Node 20 or later is needed, and $(node --version) is installed: https://nodejs.org" >&2; exit 1; }
CARGO_TERM_QUIET=true "${CARGO:-cargo}" build --locked --profile wheel -p logflux-node

# The name of the platform, as the loader makes it.
platform=$(node -e '
  const libc = process.report.getReport().header.glibcVersionRuntime ? "gnu" : "musl";
  console.log([process.platform, process.arch, ...(process.platform === "linux" ? [libc] : [])].join("-"));')
case $platform in
  darwin-*) library=liblogflux_node.dylib ;;
  *) library=liblogflux_node.so ;;
esac
version=$(node -p 'require("./package.json").version')

rm -rf "$target/npm" "$target/npm-build"
mkdir -p "$target/npm" "$target/npm-build/package" "$target/npm-build/platform"
cp -r package.json README.md index.d.ts index.d.mts lib types "$root/LICENSE-APACHE" "$root/LICENSE-MIT" "$target/npm-build/package"
cp "$root/LICENSE-APACHE" "$root/LICENSE-MIT" "$target/npm-build/platform"
cp "$target/wheel/$library" "$target/npm-build/platform/logflux.node"
PLATFORM=$platform node - > "$target/npm-build/platform/package.json" <<'JS'
const { version, license, repository, engines } = require('./package.json');
const [os, cpu, libc] = process.env.PLATFORM.split('-');
const manifest = {
  name: `@logflux/logflux-js-sdk-${process.env.PLATFORM}`,
  version,
  description: `The native half of @logflux/logflux-js-sdk for ${process.env.PLATFORM}`,
  license,
  repository,
  main: './logflux.node',
  files: ['logflux.node'],
  os: [os],
  cpu: [cpu],
  ...(libc === undefined ? {} : { libc: [libc === 'gnu' ? 'glibc' : libc] }),
  engines,
};
console.log(JSON.stringify(manifest, undefined, 2));
JS
cat > "$target/npm-build/platform/README.md" <<TEXT
# @logflux/logflux-js-sdk-$platform

The native half of [@logflux/logflux-js-sdk](https://www.npmjs.com/package/@logflux/logflux-js-sdk) for $platform. Install that one.
TEXT
for folder in package platform; do
  npm pack --silent --pack-destination "$target/npm" "$target/npm-build/$folder" > /dev/null
done
ls "$target/npm/logflux-logflux-js-sdk-$version.tgz" "$target/npm/logflux-logflux-js-sdk-$platform-$version.tgz"

./tools.sh
# As npm would unpack them; `package.test.js` has npm itself install them into an empty folder.
place=$target/node-test
rm -rf "$place/node_modules/@logflux"
for archive in "$target"/npm/*.tgz; do
  name=$(tar --extract --to-stdout --gzip --file "$archive" package/package.json | node -p 'JSON.parse(fs.readFileSync(0)).name')
  mkdir -p "$place/node_modules/$name"
  tar --extract --gzip --strip-components 1 --file "$archive" --directory "$place/node_modules/$name"
done
