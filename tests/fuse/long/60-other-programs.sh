#!/bin/bash
# What people open a bundle with reads it in both modes, to the last frame of a film of
# 700 MB as it reads the source, and in a private session, where nothing of it is left at
# home.  Programs that are not here are skipped.
. tests/fuse/lib.sh

[ -x "$pack" ] || skip_all "satchel-pack is not built"
has() { command -v "$1" >/dev/null || { skip "$2" "there is no $1"; return 1; }; }

# Lossless, so that it is large soon, and of noise, so that no frame is another's.
make_film() { # FILE SECONDS
	ffmpeg -v error -f lavfi -i "testsrc=duration=$2:size=640x360,noise=alls=40:allf=t" \
		-f lavfi -i "sine=beep_factor=4:duration=$2" -c:v rawvideo -pix_fmt yuv420p -c:a pcm_s16le "$1"
}

# Packed, and with a history.
make_repository() { # DIRECTORY
	local as=(-C "$1" -c user.name=n -c user.email=e -c gc.auto=0)
	git init -q "$1"
	for part in man common reader fusefs; do
		cp -r "$part" "$1" && git "${as[@]}" add . && git "${as[@]}" commit -qm "$part" || return
	done
	git "${as[@]}" gc -q
}

tree=$tmp/tree
mkdir "$tree"
head -c 3000000 /dev/urandom >"$tree/stored"
printf '<title>a page</title><p>some text of a page' >"$tree/page.html"
! has sqlite3 "a database to read" || sqlite3 "$tree/data" \
	"create table t(a, b); with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000)
	insert into t select x, hex(randomblob(20)) from c; create index i on t(b);"
! has git "a repository to read" || ok "a repository to read" make_repository "$tree/repository"
! has ffmpeg "a film to read" || ok "a film to read" make_film "$tree/film.mkv" 82
(cd "$tree" && find . -type f -exec sha256sum {} +) >"$tmp/sums"
pack_tree "$tree" --metadata full

# What a player gets of the film in this directory: a sum for each frame, and how many.
probed() { ffprobe -v error -show_format -show_streams -show_packets film.mkv; }
decoded() { ffmpeg -v error "$@" -i film.mkv -f framemd5 -; }
played() { mpv --no-config --really-quiet "$@" --of=framemd5 --ovc=rawvideo --oac=pcm_s16le --o=- film.mkv; }
watched() { (cd "$at" && mpv --no-config --vo=null --ao=null --start=90% --length=3 film.mkv); }

same_film() { # COMMAND...: it says at the mount what it says of the source
	(cd "$tree" && "$@") >"$tmp/of-source" && (cd "$at" && "$@") >"$tmp/of-mount" || return
	wc -l "$tmp/of-mount"
	[ "$(wc -l <"$tmp/of-mount")" -gt 100 ] && cmp "$tmp/of-source" "$tmp/of-mount"
}

# The sums would tell: one byte of the last tenth is another.
other_film() {
	local at=$tmp/other
	mkdir "$at" && cp "$tree/film.mkv" "$at" &&
		printf 'x' | dd of="$at/film.mkv" bs=1 seek=$(($(stat -c %s "$at/film.mkv") - 1000000)) conv=notrunc status=none &&
		same_film decoded -ss 74
}

if [ -e "$tree/film.mkv" ]; then
	ok "it is one of 700 MB" test "$(stat -c %s "$tree/film.mkv")" -gt 700000000
	no "a byte of it that is another would be seen" other_film
	rm -rf "$tmp/other"
fi

for mode in '' --cache; do
	up $mode
	at=$mnt/tree
	ok "sha256sum ${mode:-private}" sh -c "cd '$at' && sha256sum -c --quiet '$tmp/sums'"
	ok "cp ${mode:-private}" sh -c "cp -a '$at' '$tmp/copy' && diff -r '$tree' '$tmp/copy'; code=\$?; rm -rf '$tmp/copy'; exit \$code"
	! has rsync rsync || is "rsync -c finds no difference ${mode:-private}" \
		"$(rsync -acn --delete --out-format=%n "$tree/" "$at/" 2>&1)" ''
	[ ! -e "$tree/data" ] || is "sqlite3 ${mode:-private}" \
		"$(sqlite3 -readonly "$at/data" 'pragma integrity_check; select count(*) from t')" $'ok\n20000'
	[ ! -e "$tree/data" ] || is "sqlite3, mapped ${mode:-private}" \
		"$(sqlite3 "file:$at/data?immutable=1" 'pragma mmap_size=100000000; select count(*) from t' | tail -1)" 20000
	[ ! -e "$tree/repository" ] || ok "git fsck ${mode:-private}" git -c safe.directory='*' -C "$at/repository" fsck --full --strict
	if [ -e "$tree/film.mkv" ]; then
		ok "ffprobe ${mode:-private}" same_film probed
		ok "ffmpeg, at 90 % of it ${mode:-private}" same_film decoded -ss 74
		ok "ffmpeg, all of it ${mode:-private}" same_film decoded
		! has mpv mpv || ok "mpv, at 90 % of it ${mode:-private}" same_film played --start=90%
		! has mpv mpv || ok "mpv, as one watches ${mode:-private}" watched
	fi
	down
	is "nothing was amiss ${mode:-private}" "$code" 0
done

if unshare -Urm true 2>/dev/null; then
	export HOME=$tmp/home
	mkdir "$HOME"
	session() { timeout 60 "$mount" "${key[@]}" "$bundle" --run "$@"; }
	[ ! -e "$tree/film.mkv" ] || ! has mpv mpv || ok "mpv in a private session" \
		session mpv --vo=null --ao=null --start=90% --length=3 tree/film.mkv
	! has chromium chromium || like "a browser in a private session" \
		"$(session chromium --headless=new --no-sandbox --disable-gpu --virtual-time-budget=2000 \
			--dump-dom "file:///tmp/files/tree/page.html" 2>/dev/null)" 'some text of a page'
	is "nothing is left at home" "$(ls -A "$HOME")" ''
else
	skip "private sessions" "this system lets nobody make namespaces"
fi
finish
