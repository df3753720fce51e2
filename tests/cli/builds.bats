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
