# Completion for satchel-read(1): verbs, options of each, files.

_satchel_read() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
	local verbs='ls tree info cat extract verify repair help' words=
	COMPREPLY=()
	if ((COMP_CWORD == 1)) || [[ $prev == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
		return
	fi
	case $prev in
	--passphrase-fd | --length | --min-edition | --offset | --count) return ;;
	-C | --directory)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	esac
	if [[ $cur != -* ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	fi
	case $verb in
	ls) words='--json --checksum' ;;
	info | verify) words='--json' ;;
	cat) words='--offset --count' ;;
	repair) words='--output --force --json' ;;
	extract) words='--directory --force --verbose' ;;
	esac
	words+=' --passphrase-file --passphrase-fd --ask-passphrase --key-file --identity --volume
		--length --publisher --any-publisher --min-edition --allow-unlocked --quiet --help'
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _satchel_read satchel-read
