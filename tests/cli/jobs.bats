# SPDX-License-Identifier: GPL-2.0-or-later
# Where the jobs come from: the settings, or a make that calls us.

load tree

setup() {
	[[ $EUID == 0 ]] || skip "not root: nothing can be chrooted"
	tree_new
	build_root
	# of 'make check' itself: where its pool has a name, any make would join it
	unset MAKEFLAGS MFLAGS MAKELEVEL
	# what a job is: it says when it begins and ends, into the log of the build; the first
	# waits for the second, which a busy machine may let begin late, but not for ever
	cat >"$R/usr/src/acme-1.0/Makefile" <<-'EOF2'
	MAKEFLAGS += -j8
	all: a b c d e f g h; cp made acme.ko
	a b c d e f g h:; @echo +; : >begun.$@; i=0; while [ $$i -lt 20000 ] || { set -- begun.*; \
		[ $$# -lt 2 ] && [ $$i -lt 500000 ]; }; do i=$$((i + 1)); done; echo -
	EOF2
	log=$R/var/lib/dkms/acme/1.0/$K/$A/log/make.log
	mkdir -p "$R/etc/kmodsmith"
}

jobs() { printf '[kmodsmith]\njobs = %s\n' "$1" >"$R/etc/kmodsmith/kmodsmith.conf"; }

# outer RECIPE [MAKE-OPTION...]: that line as a recipe of a make with others of its own.
outer() {
	printf 'all: ours 1 2 3 4 5 6\nours:\n\t%s\n1 2 3 4 5 6:\n\t@:\n' "$1" >"$BATS_TEST_TMPDIR/outer.mk"
	run make -f "$BATS_TEST_TMPDIR/outer.mk" "${@:2}" R="$R" K="$K"
	echo "$output"
	[[ $status == 0 ]] || return 1
	# make counts its tokens when it ends
	[[ $output != *INTERNAL* ]]
}

# How many jobs ran at the same time at most.
most() { awk '$0 == "+" { if (++n > most) most = n } $0 == "-" { n-- } END { print most }' "$log"; }

@test "called by a make, there are no more jobs than it has" {
	jobs 8
	outer '+@kmodsmith --root $(R) build acme/1.0 -k $(K)' -j3
	count=$(most)
	((count <= 3 && count > 1)) || { cat "$log" && false; }
}

@test "nor more than the settings say" {
	jobs 2
	outer '+@kmodsmith --root $(R) build acme/1.0 -k $(K)' -j8
	[[ $(most) == 2 ]]
}

@test "dkms does the same" {
	jobs 8
	outer '+@dkms build acme/1.0 -k $(K) --root $(R)' -j2
	[[ $(most) == 2 ]]
}

@test "a make without parallel jobs is no limit" {
	jobs 2
	outer '+@kmodsmith --root $(R) build acme/1.0 -k $(K)'
	[[ $(most) == 2 ]]
}

@test "what only looks like a make's pool is not touched" {
	jobs 2
	exec 7<<<"+++++" 8>"$BATS_TEST_TMPDIR/file"
	MAKEFLAGS=' -j8 --jobserver-auth=7,8' run kmodsmith --root "$R" build acme/1.0 -k "$K"
	[[ $status == 0 && $(most) == 2 ]]
	[[ $(cat <&7) == +++++ && ! -s $BATS_TEST_TMPDIR/file ]]
	exec 7<&- 8>&-
}
