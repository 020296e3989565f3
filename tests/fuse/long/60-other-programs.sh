#!/bin/bash
# What people open a bundle with reads it in both modes, and in a private session,
# where nothing of it is left at home.  Programs that are not here are skipped.
. tests/fuse/lib.sh

[ -x "$pack" ] || skip_all "satchel-pack is not built"
has() { command -v "$1" >/dev/null || { skip "$2" "there is no $1"; return 1; }; }

tree=$tmp/tree
mkdir "$tree"
head -c 3000000 /dev/urandom >"$tree/stored"
printf '<title>a page</title><p>some text of a page' >"$tree/page.html"
! has sqlite3 "a database to read" || sqlite3 "$tree/data" \
	"create table t(a, b); with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000)
	insert into t select x, hex(randomblob(20)) from c; create index i on t(b);"
! has git "a repository to read" || {
	git init -q "$tree/repository"
	cp "$tree/page.html" "$tree/repository"
	git -C "$tree/repository" add . && git -C "$tree/repository" -c user.name=n -c user.email=e commit -qm one
}
! has ffmpeg "a film to read" || ffmpeg -v error -f lavfi -i testsrc=duration=4:size=160x120 "$tree/film.mkv"
(cd "$tree" && find . -type f -exec sha256sum {} +) >"$tmp/sums"
pack_tree "$tree" --metadata full

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
	[ ! -e "$tree/repository" ] || ok "git fsck ${mode:-private}" git -c safe.directory='*' -C "$at/repository" fsck --full
	[ ! -e "$tree/film.mkv" ] || ok "ffmpeg seeks ${mode:-private}" ffmpeg -v error -ss 3 -i "$at/film.mkv" -f null -
	down
	is "nothing was amiss ${mode:-private}" "$code" 0
done

if unshare -Urm true 2>/dev/null; then
	export HOME=$tmp/home
	mkdir "$HOME"
	session() { timeout 60 "$mount" "${key[@]}" "$bundle" --run "$@"; }
	[ ! -e "$tree/film.mkv" ] || ! has mpv mpv || ok "mpv in a private session" \
		session mpv --vo=null --ao=null tree/film.mkv
	! has chromium chromium || like "a browser in a private session" \
		"$(session chromium --headless=new --no-sandbox --disable-gpu --virtual-time-budget=2000 \
			--dump-dom "file:///tmp/files/tree/page.html" 2>/dev/null)" 'some text of a page'
	is "nothing is left at home" "$(ls -A "$HOME")" ''
else
	skip "private sessions" "this system lets nobody make namespaces"
fi
finish
