# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: bookworm
# What a record says of a real module, and what becomes of it in the administrator's hands.

load ../lib/rpmroot

setup_file() {
	local tree
	rpmroot_new rpm-records
	[[ -z ${SKIP:-} ]] || return 0
	rpm_source_package alpha 1.0
	tree=$(mktemp -d "${R%/root}/package.XXXXXX")
	source_make "$tree/usr/src/beta-2.5" beta 2.5
	cat >>"$tree/usr/src/beta-2.5/beta.c" <<-'EOF'
	MODULE_ALIAS("pci:v00001234d00005678sv*sd*bc*sc*i*");
	int beta_answer(void);
	int beta_answer(void) { return 42; }
	EXPORT_SYMBOL_GPL(beta_answer);
	EOF
	rpm_make beta-source 2.5 "$tree"
	rpmroot_install_kmodsmith >&2
	root_dnf install alpha-source beta-source >&2
}

teardown_file() { root_end; }

@test "a record provides the module, its devices and its symbols, and requires the kernel" {
	assert_rpm_recorded beta "$K1" beta
	record=$(rpm_record beta "$K1")
	provides=$(rpm_query --provides "$record")
	assert_contains "$provides" "kmod(beta.ko)"
	assert_contains "$provides" "kmod-beta = 2.5"
	assert_contains "$provides" "modalias(pci:v00001234d00005678sv*sd*bc*sc*i*)"
	[[ $provides =~ ksyms-set\([0-9a-f]{16}\) ]] || fail "no set of symbols: $provides"
	assert_equal "$(rpm_query --requires "$record")" "kernel-uname-r = $K1" "requires"
	assert_equal "$(rpm_query --whatprovides --qf '%{name}\n' \
		'modalias(pci:v00001234d00005678sv*sd*bc*sc*i*)')" "$record" "who drives the device"
}

@test "kmodsmith installed again keeps the records" {
	before=$(rpm_query -qa 'kmod-*' | sort)
	run root_dnf reinstall kmodsmith kmodsmith-rpm-plugin kmodsmith-dkms
	assert_equal "$status" 0 "exit code of dnf"
	[[ ! -e $R/run/kmodsmith/rpm-leave ]] || fail "the plugin is told to leave"
	root_dnf reinstall alpha-source
	assert_equal "$(rpm_query -qa 'kmod-*' | sort)" "$before" "records"
	assert_dnf_history_clean
	assert_rpm_fine
}

@test "a record that is removed while its source stays comes back, and that is said" {
	record=$(rpm_record alpha "$K1")
	run root_dnf remove "$record"
	assert_equal "$status" 0 "exit code of dnf"
	assert_contains "$output" "'$record' was removed and is there again"
	assert_rpm_recorded alpha "$K1" alpha
	assert_dnf_history_clean
	run root_in rpm -e "$record"
	assert_equal "$status" 0 "exit code of rpm"
	assert_contains "$output" "warning: kmodsmith: '$record' was removed and is there again"
	assert_rpm_recorded alpha "$K1" alpha
	assert_rpm_fine
}

@test "with 'skip' it stays away" {
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	printf '[module alpha]\nskip=true\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
	run root_in rpm -e "$(rpm_record alpha "$K1")"
	assert_equal "$status" 0 "exit code of rpm"
	assert_lacks "$output" "there again"
	assert_rpm_gone alpha "$K1"
	assert_rpm_recorded beta "$K1" beta
	assert_rpm_fine
}
