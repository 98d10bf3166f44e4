#!/bin/sh
# Runs the own tests of published users of bytesbuf 0.4 on the crate of this
# repository. Their source comes through `cargo vendor` and stays under target/.
#
#   published-users.sh              on ours
#   published-users.sh --published  on the published bytesbuf, for comparison
#
# Prints a line for each crate: tests passed, failed and ignored, or that it did not
# build. Fails if one did not build, if none of its tests passed, or if one failed. On
# the published bytesbuf cachet does not build: it needs `Hash for BytesView`.
#
# Left out, because it does not depend on which bytesbuf it is:
# * http_extensions 0.2.1: the examples of its page of recipes, one of which mixes two
#   versions of another crate;
# * cachet 0.3.0: unit tests, which import a helper crate that was never published. Its
#   documentation examples run. (The same helper crate is imported by bytesbuf_io, from
#   which it takes so little that `testing_aids` stands in for it.)
set -eu

users="bytesbuf_io=0.4.0 http_extensions=0.2.1 http_extensions=0.3.1 cachet=0.3.0"
here=$(cd "$(dirname "$0")" && pwd)
work=$here/target/published-users
on=ours
[ "${1:-}" = --published ] && on=published

rm -rf "$work/list" "$work/vendor" "$work/$on"
mkdir -p "$work/list/src" "$work/$on/switches/src"

# The sources.
: > "$work/list/src/lib.rs"
{
    printf '[package]\nname = "list"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\n'
    for user in $users; do
        name=${user%=*} version=${user#*=}
        key=$(echo "$name-$version" | tr . _)
        echo "$key = { package = \"$name\", version = \"=$version\" }"
    done
} > "$work/list/Cargo.toml"
cargo vendor --quiet --versioned-dirs --manifest-path "$work/list/Cargo.toml" "$work/vendor" > /dev/null

# What the final binary would do: switch on the features that ours has as opt-in.
: > "$work/$on/switches/src/lib.rs"
features=
[ $on = ours ] && features=', features = ["std", "thread-aware"]'
cat > "$work/$on/switches/Cargo.toml" << END
[package]
name = "switches"
version = "0.0.0"
edition = "2024"
[dependencies]
bytesbuf = { version = "0.4"$features }
END

export CARGO_TARGET_DIR="$work/build-$on"
failed=0
for user in $users; do
    name=${user%=*} version=${user#*=}
    crate=$work/$on/$name-$version
    log=$crate.log
    cp -R "$work/vendor/$name-$version" "$crate"
    rm -f "$crate/Cargo.lock"
    {
        printf '\n[dependencies.switches]\npath = "../switches"\n\n[workspace]\n'
        if [ "$name" = bytesbuf_io ]; then
            printf '\n[dev-dependencies.testing_aids]\npath = "%s"\n' "$here/testing_aids"
        fi
        if [ $on = ours ]; then
            printf '\n[patch.crates-io]\nbytesbuf = { path = "%s" }\n' "$here/../../bytesbuf"
        fi
    } >> "$crate/Cargo.toml"

    case $user in
        http_extensions=0.2.1) set -- -- --skip _documentation::recipes ;;
        cachet=*) set -- --doc ;;
        *) set -- ;;
    esac
    status=0
    cargo test --quiet --all-features --no-fail-fast --manifest-path "$crate/Cargo.toml" "$@" \
        > "$log" 2>&1 || status=$?
    counts=$(sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed; \([0-9]*\) ignored.*/\1 \2 \3/p' "$log" |
        awk '{ p += $1; f += $2; i += $3; n++ } END { if (n) printf "%d passed, %d failed, %d ignored", p, f, i }')
    case $counts in
        '' | '0 passed'*) failed=1 ;;
    esac
    [ $status -eq 0 ] || failed=1
    echo "$name $version on $on: ${counts:-did not build}"
done
exit $failed
