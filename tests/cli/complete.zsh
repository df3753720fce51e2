# SPDX-License-Identifier: GPL-2.0-or-later
# zsh -f complete.zsh DIRECTORY LINE: what zsh offers at the end of LINE, with the
# completions of DIRECTORY, one a line.
#
# An interactive zsh on a pseudo terminal does the completing; its compadd tells what it is
# given and fits.

zmodload zsh/zpty
zpty inner zsh -f -i

# said WORD: skip what the terminal shows up to a line that begins so.
said() {
	local line
	while zpty -r inner line; do [[ $line != $1* ]] || return 0; done
	return 1
}

zpty -w inner "PROMPT=; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D"
# with -O, -A or -D it only asks which would fit
zpty -w inner 'compadd() {
	local -a found
	if (( $argv[1,$argv[(i)--]][(I)-[OAD]] )); then builtin compadd "$@"; return; fi
	builtin compadd -A found "$@"
	(( ! $#found )) || print -l -- "OFFER "$^found
	builtin compadd "$@"
}'
zpty -w inner 'ask() { zle complete-word; print "ALL-OFFERED"; exit }; zle -N ask'
zpty -w inner 'bindkey "^T" ask; print ALL-SET'
said ALL-SET || exit
zpty -n -w inner "$2"$'\C-t'
while zpty -r inner line; do
	[[ $line != *ALL-OFFERED* ]] || break
	[[ $line != *OFFER\ * ]] || print -r -- ${${line##*OFFER }%%$'\r'*}
done
zpty -d inner
