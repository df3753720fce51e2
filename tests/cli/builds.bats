# SPDX-License-Identifier: GPL-2.0-or-later
# Builds for several kernels in one run, really made in a scratch tree.

load tree

setup() {
	[[ $EUID == 0 ]] || skip "not root: nothing can be chrooted"
	tree_new
	build_root
	dir=$R/usr/src/acme-1.0
	# one for each kernel, with its release
	mv "$dir/made" "$dir/made-$K"
	mkdir -p "$R/etc/kmodsmith"
	printf '[kmodsmith]\njobs = 4\n' >"$R/etc/kmodsmith/kmodsmith.conf"
	printf 'MAKE[0]="make -C $dkms_tree/acme/1.0/build K=$kernelver"\n' >>"$dir/dkms.conf"
}

# another_kernel RELEASE: with the same headers; its release is as long as the first one's.
another_kernel() {
	local headers=$R/usr/src/linux-headers-$1
	kernel_make "$1"
	cp "$R/usr/src/linux-headers-$K/Module.symvers" "$headers/"
	cp "$R/usr/src/linux-headers-$K/include/config/auto.conf" "$headers/include/config/"
	LC_ALL=C sed "s/$K/$1/g" "$dir/made-$K" >"$dir/made-$1"
	chmod -R go-w "$R"
}

# What another build in the same directory takes away is missed in the end.
@test "without mount namespaces the kernels of a module are built one after another" {
	another_kernel 6.1.0-2-play
	another_kernel 6.1.0-3-play
	cat >"$dir/Makefile" <<-'EOF2'
	all: begin work end
	begin:; @echo $(K) >mine
	work: begin; @i=0; while [ $$i -lt 100000 ]; do i=$$((i + 1)); done
	end: work; @read k <mine; [ "$$k" = $(K) ] && cp made-$(K) acme.ko
	EOF2
	run setpriv --bounding-set -sys_admin --inh-caps -sys_admin kmodsmith --root "$R" build acme/1.0
	echo "$output"
	[[ $status == 0 ]]
	for k in $K 6.1.0-2-play 6.1.0-3-play; do
		cmp "$dir/made-$k" "$R/var/lib/dkms/acme/1.0/$k/$A/module/acme.ko"
	done
}

# What changes between the look at the inputs and the build: the script that adds another
# module, which runs before all builds, does it.
meddle() {
	programs_copy mkdir
	depmod_make
	source_make meddler 1.0 'POST_ADD="meddle.sh"'
	printf '#!/bin/sh\n%s\n' "$1" >"$R/usr/src/meddler-1.0/meddle.sh"
	chmod 755 "$R/usr/src/meddler-1.0/meddle.sh"
}

plain_makefile() {
	printf 'all:; cp made-$(K) acme.ko\n' >"$dir/Makefile"
	chmod -R go-w "$R"
}

stored() { find "$R/var/lib/kmodsmith/store" -name index 2>/dev/null | wc -l; }

@test "progress counts modules and kernels, each once" {
	another_kernel 6.1.0-2-play
	printf 'all:\n\tcp made-$(K) acme.ko\n' >"$dir/Makefile"
	run kmodsmith --root "$R" build acme/1.0
	echo "$output"
	[[ $status == 0 ]]
	[[ $(grep -c '^kmodsmith: \[1/2\] acme/1.0 on .*: build$' <<<"$output") == 1 ]]
	[[ $(grep -c '^kmodsmith: \[2/2\] acme/1.0 on .*: build$' <<<"$output") == 1 ]]
	[[ $(grep -c '/2\]' <<<"$output") == 2 ]]
}

@test "a source that is changed after it was looked at is not taken for what it was" {
	plain_makefile
	meddle "echo '# changed' >>/usr/src/acme-1.0/Makefile"
	run kmodsmith --root "$R" sync
	contains "$output" "error: acme/1.0 on $K: build failed: '/usr/src/acme-1.0' was changed meanwhile"
	[[ $status == 3 && $(stored) == 0 ]]
	# nothing of it is remembered
	run kmodsmith --root "$R" sync
	contains "$output" "acme/1.0 on $K: built"
	[[ $status == 0 && $(stored) == 1 ]]
}

@test "nor are patches that are put there" {
	plain_makefile
	meddle "mkdir -p /etc/dkms/acme && echo x >/etc/dkms/acme/x"
	run kmodsmith --root "$R" sync
	contains "$output" "'/etc/dkms/acme' was changed meanwhile"
	[[ $(stored) == 0 ]]
}

@test "headers that are changed under the same release are not taken for what they were" {
	plain_makefile
	meddle "echo '# changed' >>/usr/src/linux-headers-$K/Makefile"
	run kmodsmith --root "$R" sync
	contains "$output" "acme/1.0 on $K"
	contains "$output" "'/lib/modules/$K/build' was changed meanwhile"
	[[ $(stored) == 0 && ! -e $R/var/lib/dkms/acme/1.0/$K ]]
	run kmodsmith --root "$R" sync
	contains "$output" "acme/1.0 on $K: built"
	[[ $(stored) == 1 ]]
}

@test "nor is a failure with them remembered" {
	printf 'all:; exit 1\n' >"$dir/Makefile"
	meddle "echo '# changed' >>/usr/src/linux-headers-$K/Makefile"
	run kmodsmith --root "$R" sync
	contains "$output" "was changed meanwhile"
	run kmodsmith --root "$R" sync
	contains "$output" "acme/1.0 on $K: build failed at make"
}

@test "what a module's own script makes of its source is built, and kept from the store" {
	plain_makefile
	rm -r "$R/var/lib/dkms/acme"
	printf 'POST_ADD="mine.sh"\n' >>"$dir/dkms.conf"
	printf '#!/bin/sh\necho "# changed" >/usr/src/acme-1.0/notes\n' >"$dir/mine.sh"
	chmod 755 "$dir/mine.sh"
	run kmodsmith --root "$R" sync
	contains "$output" "acme/1.0 on $K: built"
	[[ $(stored) == 0 ]]
	run kmodsmith --root "$R" sync
	contains "$output" "acme/1.0 on $K: built"
	[[ $(stored) == 1 ]]
}

@test "more builds than there are descriptors for are not begun at a time" {
	plain_makefile
	for n in {10..30}; do
		another_kernel "6.1.0-$n-pla"
	done
	printf '[kmodsmith]\njobs = 300\n' >"$R/etc/kmodsmith/kmodsmith.conf"
	run bash -c "ulimit -n 64 && exec kmodsmith --root '$R' build acme/1.0"
	echo "$output"
	[[ $status == 0 && $(grep -c built$ <<<"$output") == 22 ]]
}
