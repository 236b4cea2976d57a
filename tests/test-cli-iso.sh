#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-vgpu driver-iso: the image is read back with xorriso, as Linux and as Windows see
# it; built by the command and by the daemon's method.
# shellcheck disable=SC2154 # tests and failures are counted in functions.sh
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

if [ "${1:-}" != --on-bus ]; then
    for tool in dbus-run-session xorriso; do
        command -v "$tool" > /dev/null || { echo "$tool is not installed"; exit 77; }
    done
    exec dbus-run-session -- sh "$srcdir/tests/test-cli-iso.sh" --on-bus
fi

tmp=$(mktemp -d)
service=''
cleanup()
{
    [ -z "$service" ] || kill "$service" 2> /dev/null
    chmod -R u+w "$tmp" 2> /dev/null
    rm -rf "$tmp"
}
trap cleanup EXIT
export LC_ALL=C.UTF-8 VIRT_VGPU_BUS=session
# shellcheck source=tests/cli-functions.sh
. "$srcdir/tests/cli-functions.sh"

check() # WHAT COMMAND...
{
    what=$1
    shift
    "$@" > "$tmp/out" 2> "$tmp/err"
    verdict $? "$what"
}

# names MODE: what is in the image, sorted; extract DIR: all of it
names() { xorriso -read_fs "$1" -indev "$iso" -find / 2> "$tmp/err" | tr -d "'" | LC_ALL=C sort; }
extract()
{
    rm -rf "$1" && xorriso -osirrox on -indev "$iso" -extract / "$1" > "$tmp/out" 2> "$tmp/err"
    chmod -R u+w "$1"
}
only_image() { [ "$(ls "$tmp/images")" = grid.iso ]; }
empty() { [ -z "$(ls "$tmp/images")" ]; }
calls() { grep -c "^BuildDriverIso$" "$tmp/service"; }

# --- input files ------------------------------------------------------------------------------
# The name is one of NVIDIA's: longer than Joliet's usual 64 characters.
exe=538.95_grid_win10_win11_server2019_server2022_dch_64bit_international.exe
token=client_configuration_token_04-08-2021-16-10-20.tok
iso=$tmp/images/grid.iso
mkdir -p "$tmp/images" "$tmp/drivers/Größe 2/empty"
head -c 3000001 /dev/urandom > "$tmp/drivers/$exe"
: > "$tmp/drivers/Größe 2/nothing.inf"
printf '#!/bin/sh\n' > "$tmp/driver.run"
chmod +x "$tmp/driver.run"
echo "a token" > "$tmp/$token"

# --- usage ------------------------------------------------------------------------------------
cli 2 driver-iso
err "an argument is missing: --output FILE"
cli 2 driver-iso "$tmp/drivers"
err "--output FILE is missing"
for setting in FeatureType=3 FeatureType=x; do
    cli 2 driver-iso --output "$iso" --gridd "$setting" "$tmp/drivers"
    err "FeatureType is 0, 1, 2 or 4"
done
cli 2 driver-iso --output "$iso" --gridd FeatureType=4 --profile "NVIDIA A2-4Q" "$tmp/drivers"
err "FeatureType of 'NVIDIA A2-4Q', a profile of series Q, is 1 ("
cli 2 driver-iso --output "$iso" --gridd FeatureType "$tmp/drivers"
err "'FeatureType' is not KEY=VALUE"
cli 2 driver-iso --output "$iso" --profile nvidia-746 "$tmp/drivers"
err "profile 'nvidia-746' is unknown"
cli 2 driver-iso --output "$iso" --label "a b" "$tmp/drivers"
err "--label a b: 1 to 16"
cli 2 driver-iso --output "$iso" --token "$tmp/driver.run" "$tmp/drivers"
err "client_configuration_token_….tok"
check "wrong usage leaves nothing" empty

# --- refused ----------------------------------------------------------------------------------
echo old > "$iso"
cli 3 driver-iso --output "$iso" "$tmp/nothing"
err "$tmp/nothing: No such file or directory"
cli 1 driver-iso --output "$tmp/drivers/grid.iso" "$tmp/driver.run" "$tmp/drivers"
err "$tmp/drivers/grid.iso would contain itself"
cli 1 driver-iso --output "$iso" "$tmp/drivers" "$tmp/images/../drivers"
err "would be in the image twice"
cli 1 driver-iso --output /dev/null "$tmp/drivers"
err "/dev/null is not a regular file"
ln -s /etc/passwd "$tmp/drivers/link"
cli 1 driver-iso --output "$iso" "$tmp/drivers"
err "$tmp/drivers/link is a link to a file outside its directory"
rm "$tmp/drivers/link"
# no room: the file may have a MiB
( trap '' XFSZ; ulimit -f 1024
  "$builddir/virt-vgpu" driver-iso --output "$iso" "$tmp/drivers" > "$tmp/out" 2> "$tmp/err"
  echo $? > "$tmp/status" )
check "no room: exit status 1" test "$(cat "$tmp/status")" = 1
check "the old file is unchanged" grep -qx old "$iso"
check "nothing else is left" only_image

# --- built here -------------------------------------------------------------------------------
umask 022
cli 0 driver-iso -o "$iso" --gridd ServerAddress=lic.example --gridd NewKey=1 --profile A2-4Q \
    --token "$tmp/$token" "$tmp/drivers" "$tmp/driver.run"
out "$iso: 10 files, "
grep -qF "virt-vgpu: warning: gridd.conf: NewKey is an unknown key" "$tmp/err"
verdict $? "warns of a key that is not known"
check "nothing else is left" only_image
check "its mode follows the umask" test "$(stat -c %a "$iso")" = 644

cat > "$tmp/want" << END
/
/README.txt
/$token
/driver.run
/drivers
/drivers/$exe
/drivers/Größe 2
/drivers/Größe 2/empty
/drivers/Größe 2/nothing.inf
/gridd.conf
/linux
/linux/blacklist-nouveau.conf
/linux/install.sh
/windows
/windows/install.cmd
/windows/licence.reg
END
LC_ALL=C sort "$tmp/want" -o "$tmp/want"
for mode in any nojoliet norock; do
    names "$mode" > "$tmp/names"
    check "names as seen with $mode" diff "$tmp/want" "$tmp/names"
done
xorriso -indev "$iso" -pvd_info > "$tmp/pvd" 2>&1
check "the label" grep -qx "Volume Id    : VGPU-DRIVER" "$tmp/pvd"
extract "$tmp/x"
check "a tree with the same content" diff -r "$tmp/drivers" "$tmp/x/drivers"
check "a file with the same content" cmp "$tmp/driver.run" "$tmp/x/driver.run"
check "which can be run" test -x "$tmp/x/driver.run"
check "others cannot" test ! -x "$tmp/x/gridd.conf"
check "the token with the same content" cmp "$tmp/$token" "$tmp/x/$token"
cat > "$tmp/want" << 'END'
# Licence settings of the NVIDIA driver in the guest, made by virt-vgpu(1).
# Their place is /etc/nvidia/gridd.conf; restart nvidia-gridd after a change.
ServerAddress=lic.example
NewKey=1
FeatureType=1
END
check "gridd.conf" diff "$tmp/want" "$tmp/x/gridd.conf"
check "nouveau is kept away" grep -qx "blacklist nouveau" "$tmp/x/linux/blacklist-nouveau.conf"
cr=$(printf '\r')
check "the registry of Windows has them" grep -qF '"ServerAddress"="lic.example"' "$tmp/x/windows/licence.reg"
check "each as its kind" grep -qF '"FeatureType"=dword:00000001' "$tmp/x/windows/licence.reg"
check "but none that is not known" test "$(grep -c NewKey "$tmp/x/windows/licence.reg")" = 0
check "install.cmd puts it there" grep -qF 'reg import "%~dp0licence.reg"' "$tmp/x/windows/install.cmd"
for file in README.txt windows/install.cmd windows/licence.reg; do
    check "$file has lines for Windows" test "$(grep -vc "$cr\$" "$tmp/x/$file")" = 0
done

# --- the content ------------------------------------------------------------------------------
check "install.sh is a shell script" sh -n "$tmp/x/linux/install.sh"
check "install.sh runs" "$tmp/x/linux/install.sh" "$tmp/root"
check "gridd.conf is in its place" cmp "$tmp/want" "$tmp/root/etc/nvidia/gridd.conf"
check "the token is in its place" cmp "$tmp/$token" "$tmp/root/etc/nvidia/ClientConfigToken/$token"
check "and has the mode that NVIDIA wants" \
    test "$(stat -c %a "$tmp/root/etc/nvidia/ClientConfigToken/$token")" = 744
check "the blacklist is in its place" test -f "$tmp/root/etc/modprobe.d/blacklist-nouveau.conf"
cli 0 driver-iso --output "$iso" --gridd ClientConfigTokenPath=/opt/tokens --token "$tmp/$token" \
    "$tmp/driver.run"
extract "$tmp/x"
check "install.sh runs with a place of its own for the token" "$tmp/x/linux/install.sh" "$tmp/root"
check "where the token is then" cmp "$tmp/$token" "$tmp/root/opt/tokens/$token"
cli 0 driver-iso --output "$iso" --gridd 'ClientConfigTokenPath=C:\tokens' --token "$tmp/$token" "$tmp/driver.run"
err "ClientConfigTokenPath is a path of Windows; on Linux the token is put into the driver's default directory"
extract "$tmp/x"
check "install.sh runs with a place on Windows" "$tmp/x/linux/install.sh" "$tmp/root3"
check "the token is where Linux has it" test -f "$tmp/root3/etc/nvidia/ClientConfigToken/$token"
mkdir -p "$tmp/own"
printf '%s\r\n' ' ClientConfigTokenPath = /opt/other tokens ' 'FeatureType = 1' > "$tmp/own/gridd.conf"
cli 0 driver-iso --output "$iso" --token "$tmp/$token" "$tmp/own/gridd.conf" "$tmp/driver.run"
err "warning: gridd.conf: ClientConfigTokenPath is a path of Linux; on Windows the token is put into the driver's default directory"
printf '[images]\ndirectories=%s\nsource_directories=%s\n' "$tmp" "$tmp" > "$tmp/conf"
"$builddir/virt-vgpu-iso" build "$tmp/pool.iso" --config="$tmp/conf" --config-dir="$tmp/none" "$tmp/own/gridd.conf" \
    > "$tmp/built" 2> "$tmp/warnings"
check "the image of a pool warns of the same, for the daemon's log" \
    grep -q "^gridd.conf: ClientConfigTokenPath is a path of Linux" "$tmp/warnings"
rm "$tmp/pool.iso" "$tmp/conf" "$tmp/built" "$tmp/warnings"
extract "$tmp/x"
check "install.sh runs with a gridd.conf that has blanks" "$tmp/x/linux/install.sh" "$tmp/root4"
check "and puts the token where that says" cmp "$tmp/$token" "$tmp/root4/opt/other tokens/$token"
check "install.cmd takes blanks for nothing, too" grep -qF 'delims== "' "$tmp/x/windows/install.cmd"
cli 0 driver-iso --output "$iso" --label=-WIN_11 "$tmp/driver.run"
extract "$tmp/x"
check "install.sh runs without a token" "$tmp/x/linux/install.sh" "$tmp/root2"
check "and makes no directory for it" test ! -e "$tmp/root2/etc/nvidia/ClientConfigToken"
xorriso -indev "$iso" -pvd_info > "$tmp/pvd" 2>&1
check "another label" grep -qx "Volume Id    : -WIN_11" "$tmp/pvd"

# --- by the daemon ----------------------------------------------------------------------------
start_service() # ARGUMENT...
{
    "$builddir/tests/iso-service" "$@" > "$tmp/service" 2>&1 &
    service=$!
    until_true "$builddir/virt-vgpu" profile-list > /dev/null 2>&1 || [ $# -gt 0 ] ||
        { cat "$tmp/service"; echo "Bail out! the service does not answer"; exit 1; }
}

rm -f "$iso"
start_service
cli 0 driver-iso --output "$iso" --gridd ServerPort=7070 --profile nvidia-746 --label BUS \
    --token "$tmp/$token" "$tmp/driver.run" "$tmp/drivers/$exe"
out "$iso: 9 files, "
silent
check "the daemon has built it" test "$(calls)" = 1
extract "$tmp/x"
check "a file with the same content" cmp "$tmp/drivers/$exe" "$tmp/x/$exe"
check "one that can be run" test -x "$tmp/x/driver.run"
check "settings" grep -qx ServerPort=7070 "$tmp/x/gridd.conf"
check "the profile was found by its id" grep -qx FeatureType=1 "$tmp/x/gridd.conf"
check "the token" cmp "$tmp/$token" "$tmp/x/$token"
xorriso -indev "$iso" -pvd_info > "$tmp/pvd" 2>&1
check "the label" grep -qx "Volume Id    : BUS" "$tmp/pvd"
cli 2 driver-iso --output "$iso" --profile nvidia-746 --gridd FeatureType=4 "$tmp/driver.run"
err "FeatureType of 'NVIDIA A2-4Q'"
check "which the daemon was not asked about" test "$(calls)" = 1
( trap '' XFSZ; kill "$service"; ulimit -f 1024; exec "$builddir/tests/iso-service" ) \
    > "$tmp/service" 2>&1 &
service=$!
until_true "$builddir/virt-vgpu" profile-list > /dev/null 2>&1
cp "$iso" "$tmp/before"
cli 1 driver-iso --output "$iso" "$tmp/drivers/$exe"
err "cannot write the image: File too large"
check "the daemon failed" test "$(calls)" = 1
check "the old file is unchanged" cmp "$iso" "$tmp/before"
check "nothing else is left" only_image

kill "$service"
start_service
cli 0 driver-iso --output "$iso" --local "$tmp/driver.run"
check "--local leaves the daemon alone" test "$(calls)" = 0
cli 0 driver-iso --output "$iso" "$tmp/drivers"
check "an empty directory cannot be sent" test "$(calls)" = 0
names any > "$tmp/names"
check "and is there" grep -qx "/drivers/Größe 2/empty" "$tmp/names"
mkdir "$tmp/many"
for i in $(seq 15); do echo "$i" > "$tmp/many/$i"; done
cli 0 driver-iso --output "$iso" "$tmp/many"
check "fifteen files can be sent" test "$(calls)" = 1
echo 16 > "$tmp/many/16"
cli 0 driver-iso --output "$iso" "$tmp/many"
check "sixteen cannot, beside the output" test "$(calls)" = 1
extract "$tmp/x"
check "and are there" diff -r "$tmp/many" "$tmp/x/many"

# --- where the daemon refuses -----------------------------------------------------------------
kill "$service"
wait "$service" 2> /dev/null
start_service denied
until_true grep -q . "$tmp/service"
rm -f "$tmp/images"/*
cli 0 driver-iso --output "$iso" "$tmp/driver.run"
check "a user refused by the daemon builds it without it" test "$(calls)" = 1
silent
check "completely" extract "$tmp/x"

echo "1..$tests"
[ "$failures" -eq 0 ]
