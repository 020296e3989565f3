# Completion for satchel-pack(1): options, their few values, files.

_satchel_pack() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=
	COMPREPLY=()
	# "--size=4G" and "fill:/media" arrive in pieces, cut at = and :.
	if [[ $cur == [=:] ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $prev in
	-o | --output | --recipe | --archive | --passphrase-file | --key-file | --recipients-file | --second-factor | --sign | :)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--spill)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--kdf) words='standard low' ;;
	--parity) words='0 2 4 8 16' ;;
	--metadata) words='private full' ;;
	--volume-size) words='fat32 dvd cd' ;;
	--size) words='fill:' && compopt -o nospace ;;
	--passphrase-fd | --recipient | --exclude | --label | --series | --edition | --level | --jobs | --memory)
		return
		;;
	*)
		if [[ $cur != -* ]]; then
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
		fi
		words='--output --force --dry-run --recipe --archive --passphrase-file --passphrase-fd
			--generate-passphrase --key-file --recipient --recipients-file
			--second-factor --sign --kdf --size --volume-size --parity --metadata --exclude
			--one-file-system --cross-file-systems --label --series --edition --level --no-verify --jobs --memory --spill
			--allow-unlocked --quiet --verbose --json --help --version'
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _satchel_pack satchel-pack
