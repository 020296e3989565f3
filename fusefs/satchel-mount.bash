# Completion for satchel-mount(1): options, files, directories; behind --run,
# programs.

_satchel_mount() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == --run ]]; then
			compopt -o filenames
			if [[ $prev == --run ]]; then
				mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			fi
			return
		fi
	done
	case $prev in
	-u | --unmount)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--idle | --subdir | --passphrase-fd | --length | --min-edition)
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '--run --unmount --foreground --idle --subdir
			--cache --exec --require-no-swap --passphrase-file --passphrase-fd --ask-passphrase
			--key-file --identity --volume --length --publisher --any-publisher --min-edition --allow-unlocked
			--verbose --quiet --help --version' -- "$cur")
	else
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -F _satchel_mount satchel-mount
