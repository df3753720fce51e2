# SPDX-License-Identifier: GPL-2.0-or-later
# set: long
# Every *-dkms package of Debian's archive through kmodsmith: installed, installed again,
# upgraded and removed. Those that do not build on this kernel are seen not to build, and
# to harm nothing: not apt, nor what builds. Compiling them takes ten minutes of two cores,
# the most of it openafs, dahdi and xtables-addons.

load ../lib/root

# PACKAGE MODULE STEM...       builds; a number instead of stems: as many as its conf names
# PACKAGE MODULE asked STEM... likewise, but only when asked: it has no AUTOINSTALL
# PACKAGE MODULE fails TEXT    does not build on the kernel of the root: its first error
table() {
	cat <<'EOT'
acpi-call-dkms          acpi-call        acpi_call
bbswitch-dkms           bbswitch         bbswitch
vpoll-dkms              vpoll            vpoll
dpdk-kmods-dkms         dpdk-kmods       igb_uio
lime-forensics-dkms     lime-forensics   asked lime
librem-ec-acpi-dkms     librem_ec_acpi   librem_ec_acpi
adv-17v35x-dkms         adv-17v35x       adv17v35x
langford-dkms           langford         langford
xtrx-dkms               xtrx             xtrx
v4l2loopback-dkms       v4l2loopback     v4l2loopback
ddcci-dkms              ddcci            ddcci ddcci-backlight
nat-rtsp-dkms           nat-rtsp         nf_nat_rtsp nf_conntrack_rtsp
rapiddisk-dkms          rapiddisk-dkms   rapiddisk rapiddisk-cache
rtpengine-kernel-dkms   rtpengine        xt_RTPENGINE
iptables-netflow-dkms   ipt-netflow      ipt_NETFLOW
digimend-dkms           digimend         hid-kye hid-uclogic hid-polostar hid-viewsonic
tp-smapi-dkms           tp_smapi         thinkpad_ec tp_smapi hdaps
dm-writeboost-dkms      dm-writeboost    dm-writeboost
falcosecurity-scap-dkms scap             scap
openvpn-dco-dkms        ovpn-dco         ovpn-dco-v2
apfs-dkms               linux-apfs-rw    apfs
evdi-dkms               evdi             evdi
jool-dkms               jool-dkms        jool_common jool jool_siit
xtables-addons-dkms     xtables-addons   23
dahdi-dkms              dahdi            32
openafs-modules-dkms    openafs          openafs
west-chamber-dkms       west-chamber     fails the build did not produce 'xt_CUI.ko'
gost-crypto-dkms        gost-crypto      fails crypto/gost28147.h: No such file
openrazer-driver-dkms   openrazer-driver fails too few arguments to function 'hid_report_raw_event'
lttng-modules-dkms      lttng-modules    fails conflicting types for 'trace_hrtimer_start'
EOT
}

# Those of which Debian's next release has a version that builds here too.
NEWER="tp-smapi-dkms vpoll-dkms dm-writeboost-dkms v4l2loopback-dkms"

setup_file() {
	root_new dkms-packages bookworm-amd64
	K=$(root_kernels)
	export K
	root_install_kmodsmith >&2
}

teardown_file() { root_end; }

all() { table | awk '{ print $1 }'; }
building() { table | awk '$3 != "fails" { print $1 }'; }
failing() { table | awk '$3 == "fails" { print $1 }'; }

version_of() { root_query "$1" '${Version}'; }

# conf_of MODULE: the dkms.conf below /usr/src whose directory is of that name.
conf_of() {
	local link
	for link in "$R/var/lib/dkms/$1"/*/source; do
		printf '%s\n' "$R$(readlink "$link")/dkms.conf"
	done
}

# assert_builds MODULE STEM...: all that is promised of it, and dkms status says it.
assert_builds() {
	local module=$1 stems=("${@:2}")
	if [[ ${stems[0]} == [0-9]* ]]; then
		mapfile -t stems < <(sed -n 's/^BUILT_MODULE_NAME\[[0-9]*\]="*\([^"]*\)"*$/\1/p' \
			"$(conf_of "$module")")
		assert_equal "${#stems[@]}" "$2" "modules of $module" || return 1
	fi
	assert_recorded "$module" "$K" "${stems[@]}" || return 1
	grep -q -x -E "$module/[^,]*, $K, x86_64: installed( \(Original modules exist\))?" \
		<<<"$status_lines" || fail "dkms status lacks $module: $status_lines"
}

# assert_fails MODULE TEXT: it does not build, and says so.
assert_fails() {
	local module=$1
	shift
	assert_state "$module" "$K" failed || return 1
	assert_contains "$(cat "$R/var/lib/kmodsmith/failed/$module"/*/"$K"/x86_64)" "$*" || return 1
	grep -q -x "$module/[^,:]*: added" <<<"$status_lines" ||
		fail "dkms status lacks $module: $status_lines" || return 1
	assert_gone "$module" "$K"
}

# assert_table [fails]: every package that builds has its modules in place, owned, verifying
# and nothing else; with "fails", the others are there and did not build.
assert_table() {
	local package module words bad=0
	status_lines=$(root_exec dkms status </dev/null)
	while read -r package module words; do
		case $words in
		fails*) [[ -n ${1:-} ]] || continue ;;
		esac
		# shellcheck disable=SC2086 # words
		assert_equal "$(root_query "$package" '${db:Status-Abbrev}')" "ii " "$package" &&
			case $words in
			asked*) assert_builds "$module" ${words#asked} ;;
			fails*) assert_fails "$module" "${words#fails }" ;;
			*) assert_builds "$module" $words ;;
			esac || bad=$((bad + 1))
	done < <(table)
	((bad == 0)) || fail "$bad packages are not as they should be" || return 1
	assert_packages_fine
}

# When each module was compiled, as its make.log shows.
compiled() { sed -s -n 2p "$R"/var/lib/dkms/*/*/"$K"/x86_64/log/make.log; }

@test "the table has every package of the archive" {
	root_apt update
	assert_equal "$(all | sort)" \
		"$(root_exec apt-cache search --names-only -- '-dkms$' </dev/null |
			cut -d ' ' -f 1 | grep -e '-dkms$' | grep -v -x dh-dkms | sort)"
}

@test "those that build install" {
	# shellcheck disable=SC2046
	root_apt install $(building)
	assert_equal "$(target lime-forensics "$K" reason)" not-wanted
	root_in dkms install lime-forensics/1.9.1-5 -k "$K"
	root_in kmodsmith sync
	assert_table
}

@test "those that do not build harm neither apt nor the others" {
	# shellcheck disable=SC2046
	root_apt install $(failing)
	run root_in kmodsmith status
	assert_equal "$status" 3 "exit code"
	assert_table fails
}

@test "status reads no module that it knows" {
	# what is younger than two seconds is not remembered; apt took longer since the last
	root_in kmodsmith status || true
	root_in dkms status
	KS_TRACE=$BATS_TEST_TMPDIR/trace
	strace -f -o "$KS_TRACE" -e trace=pread64 -y chroot "$R" /usr/sbin/dkms status >/dev/null
	assert_equal "$(grep -c '\.ko' "$KS_TRACE")" 0 "reads of modules"
}

@test "they are installed again, and nothing is compiled twice" {
	before=$(compiled)
	# shellcheck disable=SC2046
	root_apt install --reinstall $(all)
	assert_table fails
	assert_equal "$(compiled)" "$before" "when they were built"
}

@test "they are upgraded where the archive has two versions" {
	local package version seen=
	for package in $(building); do
		version=$(root_exec apt-cache madison "$package" </dev/null | awk '{ print $3 }' | tail -n 1)
		[[ $version != "$(version_of "$package")" ]] || continue
		root_apt install --allow-downgrades "$package=$version"
		assert_equal "$(version_of "$package")" "$version" "$package"
		seen=yes
	done
	[[ -n $seen ]] || skip "the archive has one version of each"
	root_apt upgrade
	assert_table fails
}

@test "they are upgraded to what the next release has" {
	local package before
	ks_sources trixie >"$R/etc/apt/sources.list.d/next.list"
	printf 'Package: *\nPin: release n=trixie*\nPin-Priority: 50\n' >"$R/etc/apt/preferences.d/next"
	root_apt update
	before=$(for package in $NEWER; do version_of "$package"; done)
	# shellcheck disable=SC2046,SC2086
	root_apt install $(printf '%s/trixie ' $NEWER)
	assert_equal "$(comm -12 <(sort <<<"$before") \
		<(for package in $NEWER; do version_of "$package"; done | sort))" "" "old versions"
	assert_table fails
	rm "$R"/etc/apt/{sources.list.d/next.list,preferences.d/next}
	root_apt update
}

@test "removed they leave nothing" {
	# shellcheck disable=SC2046
	root_apt purge $(all)
	assert_equal "$(root_in dkms status)" "" "dkms status"
	assert_equal "$(find "$R/lib/modules/$K" -path '*updates*' -name '*.ko*')" "" "files"
	assert_lacks "$(cat "$R/lib/modules/$K/modules.dep")" updates/
	assert_equal "$(root_exec dpkg-query -W -f '${Package}\n' 'kmod-*' 2>/dev/null </dev/null)" "" records
	assert_equal "$(find "$R/var/lib/dkms" -mindepth 1 -maxdepth 1 -type d)" "" "trees"
	assert_equal "$(find "$R/usr/src" -name dkms.conf)" "" "sources"
	assert_equal "$(find "$R/var/lib/kmodsmith/failed" "$R/var/lib/kmodsmith/marks" -type f 2>/dev/null)" \
		"" "failures and marks"
	root_exec dpkg -V "linux-image-$K"
	run root_in kmodsmith status
	assert_equal "$status" 0 "exit code"
	assert_packages_fine
}
