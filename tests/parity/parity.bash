# SPDX-License-Identifier: GPL-2.0-or-later
# Sequences of commands in twin roots: the newest dkms that Debian has in the one, ours in the
# other. See README.md.
#
# shellcheck source=tests/lib/root.bash
. "$(dirname "${BASH_SOURCE[0]}")/../lib/root.bash"

parity_dir=$ks_top/tests/parity
# what is different on purpose
parity_deviations=$parity_dir/deviations

# parity_roots: make the twins, reference and ours, each a directory over the base.
parity_roots() {
	local twin
	for twin in reference ours; do
		root_new "parity-$twin" bookworm
		cp "$parity_dir/world" "$R/root/world"
		"parity_install_$twin"
		root_in bash /root/world || ks_die "cannot make the world of parity: see '$ROOT_LOG'"
		KEEP_ROOT=1 root_end
	done
	cat "$ks_out/scenarios/parity-reference/upper/parity/version"
}

# dkms is a script: the package of a later release does in this one.
parity_install_reference() {
	ks_sources trixie >"$R/etc/apt/sources.list.d/later.list"
	root_apt update
	root_sh 'cd /root && apt-get download dkms/trixie
		apt-get install -y -q --no-install-recommends /root/dkms_*.deb dpkg-dev/bookworm
		rm /root/dkms_*.deb /etc/apt/sources.list.d/later.list && mkdir -p /parity
		dkms --version >/parity/version'
}

parity_install_ours() {
	root_install_kmodsmith
	# PARITY_BUILD=DIR: the programs of a build directory instead of the package's
	if [[ -n ${PARITY_BUILD:-} ]]; then
		cp "$PARITY_BUILD/kmodsmith" "$R/usr/sbin/kmodsmith"
		cp "$PARITY_BUILD"/libexec/{sandbox,inspect,signer} "$R/usr/libexec/kmodsmith/"
	fi
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	printf '[kmodsmith]\ninitramfs = false\ncache-size = 0\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/parity.conf"
}

# parity_run TWIN FILE DIR: run the sequence in a root of its own over the twin's; what it
# did comes into DIR.
parity_run() {
	local twin=$1 file=$2 out=$3 dir base
	dir=$(mktemp -d "$ks_out/scenarios/parity-run.XXXXXX")
	base=$(base_dir bookworm)
	mkdir -p "$dir"/{upper,work,root} "$out"
	mount -t overlay -o "lowerdir=$ks_out/scenarios/parity-$twin/upper:$base,upperdir=$dir/upper,workdir=$dir/work" \
		overlay "$dir/root" || return 1
	(
		R=$dir/root
		base_mount "$R"
		cp "$parity_dir/inside" "$file" "$R/root/"
		timeout 120 chroot "$R" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root TERM=dumb LC_ALL=C.UTF-8 KMODSMITH_LIBEXECDIR=/usr/libexec/kmodsmith \
			/root/inside "/root/${file##*/}" </dev/null >"$out/run" 2>&1 3>&-
	)
	cp "$dir"/root/parity/* "$out/"
	root_drop "$dir"
}

# parity_split FILE DIR: each sequence of it as a file; prints the files.
parity_split() {
	local line n=0 stem=${1##*/} to=
	while IFS= read -r line || [[ -n $line ]]; do
		if [[ $line == '=== '* ]]; then
			n=$((n + 1))
			to=$2/${stem%.seq}-$(printf %03d "$n")
			: >"$to"
			printf '%s\n' "${line#=== }" >"$to.title"
			printf '%s\n' "$to"
		elif [[ -n $to ]]; then
			printf '%s\n' "$line" >>"$to"
		fi
	done <"$1"
}

# What differs in any case: progress, versions, times.
parity_plain() {
	sed -E -e 's/\.\.\.+/.../g' -e 's/dkms-[0-9][0-9.]*/dkms-N/g' -e 's/[[:space:]]+$//' \
		-e "s/^(The kernel is built without module signing facility|Running in chroot), modules won't be signed/UNSIGNED/" "$1"
}

# The artifacts' own files of ours, and what stays of a build, are nobody's business.
parity_tree() {
	grep -v -E '/(manifest|installed|make\.log|\.[^/]*|mok\.(key|pub)) -> |^[fld] var/lib/dkms/[^/]+/[^/]+/build/|^[fld] [^>]*/(build|log) -> ' "$1" |
		sed -E 's, -> $,,' || true
}

# parity_compare SEQUENCE REFERENCE OURS: aspects that differ, one on each line: what and how.
parity_compare() {
	local ref=$2 own=$3 i n=0 text twin what
	n=$(grep -c '^\$=\? ' "$1")
	for twin in "$ref" "$own"; do
		[[ -e $twin/tree && $(wc -l <"$twin/codes") == "$n" ]] ||
			printf 'run: %s did not come to its end: %s\n' "${twin##*.}" "$(tail -n 1 "$twin/run")"
	done
	cmp -s "$ref/codes" "$own/codes" ||
		diff <(cat "$ref/codes") <(cat "$own/codes") | sed -n 's/^[<>] /codes: &/p'
	for ((i = 1; i <= n; i++)); do
		text=$(diff <(parity_plain "$ref/$i.status") <(parity_plain "$own/$i.status") | sed -n "s/^[<>] /status after $i: &/p")
		[[ -z $text ]] || printf '%s\n' "$text"
		what=words
		[[ ! -e $own/$i.promised ]] || what=output
		text=$(diff <(parity_plain "$ref/$i.output") <(parity_plain "$own/$i.output") | sed -n "s/^[<>] /$what of $i: &/p")
		[[ -z $text ]] || printf '%s\n' "$text"
	done
	diff <(parity_tree "$ref/tree") <(parity_tree "$own/tree") | sed -n 's/^[<>] /tree: &/p'
	diff "$ref/modules" "$own/modules" | sed -n 's/^[<>] /modules: &/p'
	diff "$ref/sources" "$own/sources" | sed -n 's/^[<>] /sources: &/p'
	return 0
}

# parity_judge TITLE: of the differences on stdin those that no line of deviations allows.
parity_judge() {
	local title=$1 line aspects pattern
	while IFS= read -r line; do
		while IFS='|' read -r aspects pattern _; do
			aspects=,${aspects// /}, pattern=${pattern# } pattern=${pattern% }
			# shellcheck disable=SC2053 # it is a pattern
			[[ $title == $pattern && $aspects == *",${line%%[: ]*},"* ]] && continue 2
		done < <(grep -v -e '^#' -e '^$' "$parity_deviations")
		printf '%s\n' "$line"
	done
}

# parity_one SEQUENCE: run and judge it; prints what differs.
parity_one() {
	local file=$1 title
	title=$(cat "$file.title")
	parity_run reference "$file" "$file.reference" &
	parity_run ours "$file" "$file.ours"
	wait
	parity_compare "$file" "$file.reference" "$file.ours" >"$file.differences"
	parity_judge "$title" <"$file.differences"
}

# parity_setup SET: for a scenario: the twins, and the sequences of the files that say so.
parity_setup() {
	local file
	parity_roots >&2
	export PARITY_WORK=$ks_out/parity-$1
	rm -rf "${PARITY_WORK:?}" && mkdir -p "$PARITY_WORK"
	for file in "$parity_dir"/sequences/*.seq; do
		! grep -q -x "# set: $1" "$file" || parity_split "$file" "$PARITY_WORK" >>"$PARITY_WORK/list"
	done
}

# parity_all: run them; says what differs and has no reason.
parity_all() {
	local sequence differences failed=0
	while read -r sequence; do
		differences=$(parity_one "$sequence" | grep -v '^words ' || true)
		[[ -n $differences ]] || continue
		failed=$((failed + 1))
		printf '%s\n%s\n' "$(cat "$sequence.title")" "$differences" >&2
	done <"$PARITY_WORK/list"
	((failed == 0)) || fail "$failed of $(wc -l <"$PARITY_WORK/list") differ"
}
