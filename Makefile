# make           build the programs into build/
# make check     install what the tests need, build, test
# make demo      a first look, in DIR if given
# See "deps" for what is needed; every variant has a folder of its own.

VERSION = 0.1
PREFIX = /usr/local
B = build
CC = gcc
CLANG = clang
WORDLIST = /usr/lib/python3/dist-packages/diceware/wordlists/wordlist_en_eff.txt
ARCH := $(shell $(CC) -print-multiarch 2>/dev/null)

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wpointer-arith -Wwrite-strings -Wundef $(if $(CI),-Werror) \
	$(if $(findstring clang,$(CC)),-Wno-missing-field-initializers)
OPT = -O2 -g
CPPFLAGS = -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSATCHEL_VERSION='"$(VERSION)"'
GUARD = -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 \
	$(if $(filter x86_64%,$(ARCH)),-fcf-protection)
HARDEN = $(GUARD) -fPIE -pie
CFLAGS = -std=c11 $(OPT) $(WARN) $(HARDEN) -ffile-prefix-map=$(CURDIR)=.
LDFLAGS = -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
SMALL = -Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
	-Wl,--gc-sections -Wl,-z,pack-relative-relocs -s

# The reader is static; a sanitizer's build, which cannot be, says STATIC=no.
STATIC = yes
STATIC_CFLAGS = -std=c11 $(SMALL) $(WARN) $(GUARD) -fPIE -ffile-prefix-map=$(CURDIR)=.

comma := ,
doors := common/seal_openssl.c common/seal_heap.c common/seal_sodium.c
common := $(filter-out $(doors),$(wildcard common/*.c))
tools := $(foreach tool,bundler reader fusefs,$(if $(wildcard $(tool)/*.c),$(tool)))
objects = $(patsubst %.c,$(B)/%.o,$(1))

OBJECTS_common = $(call objects,$(common) $(wildcard common/seal_openssl.c common/seal_heap.c))
OBJECTS_bundler = $(call objects,$(wildcard bundler/*.c)) $(B)/bundler/words.o
OBJECTS_reader = $(call objects,$(wildcard reader/*.c))
OBJECTS_fusefs = $(call objects,$(wildcard fusefs/*.c))
OBJECTS_static = $(patsubst %.c,$(B)/static/%.o,$(SOURCES_reader))
SOURCES_reader = $(wildcard reader/*.c) $(common) $(wildcard common/seal_sodium.c)
LIBS_reader = -lsodium -lzstd -lutf8proc -lpthread
LIBS_bundler = $(LIBS_reader) -lcrypto -larchive -lisal -linih -lseccomp
LIBS_fusefs = $(LIBS_reader) -lcrypto -lfuse3 -lseccomp $(SYSTEMD)

# logind's announcements, where libsystemd is to be had.  Asked once, and not before
# what asks may have been installed.
SYSTEMD = $(eval SYSTEMD := $$(shell pkg-config --libs libsystemd 2>/dev/null))$(SYSTEMD)

NAME_bundler = satchel-pack
NAME_reader = satchel-read
NAME_fusefs = satchel-mount
ALL_LIBS = $(sort $(foreach tool,reader $(tools),$(LIBS_$(tool))))
PROGRAMS = $(foreach tool,$(patsubst %/main.c,%,$(wildcard */main.c)),$(B)/$(NAME_$(tool)))

all: $(PROGRAMS)

$(B)/satchel-pack: $(OBJECTS_bundler) $(OBJECTS_common)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_bundler)

$(B)/satchel-mount: $(OBJECTS_fusefs) $(OBJECTS_common)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_fusefs)

ifeq ($(STATIC),yes)
$(B)/satchel-read: $(OBJECTS_static)
	$(CC) $(STATIC_CFLAGS) $(LDFLAGS) -static-pie -o $@ $^ $(LIBS_reader)
else
$(B)/satchel-read: $(call objects,$(SOURCES_reader))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_reader)
endif

# What is put in front of the C library reaches only a reader that is not static.
$(B)/tests/satchel-read: $(call objects,$(SOURCES_reader))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_reader)

$(B)/fusefs/%.o: CPPFLAGS += -I/usr/include/fuse3 $(if $(SYSTEMD),-DHAVE_LIBSYSTEMD)
$(addprefix $(B)/tests/,fuzz/fuzz_ops.o unit/test_notes.o): CPPFLAGS += -I/usr/include/fuse3

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/static/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(STATIC_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/bundler/words.o: $(B)/bundler/words.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/bundler/words.c: $(WORDLIST) Makefile
	@mkdir -p $(@D)
	awk 'BEGIN { print "#include \"bundler/words.h\"\n"; \
	             print "const char words[WORDS_COUNT][WORDS_LONGEST + 1] = {" } \
	     { print "\t\"" $$NF "\","; bad += length($$NF) > 9 || seen[$$NF]++ } \
	     END { print "};"; exit bad || NR != 7776 }' $< >$@.new
	mv $@.new $@

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# Units: each test_x.c is a program; it takes from these archives what it calls.
archives = $(foreach tool,$(tools) common,$(B)/lib$(tool).a)
units = $(call objects,$(wildcard tests/unit/test_*.c))
UNITS = $(units:.o=)
# Fuzzers, and what replays their corpora without one.  The door stands before the seal,
# and an arena before the arena.
FUZZERS = $(basename $(call objects,$(wildcard tests/fuzz/fuzz_*.c)))
REPLAYS = $(subst /fuzz_,/replay_,$(FUZZERS))
door = $(patsubst %,$(B)/tests/fuzz/%.o,door arena shape written)
SCRIPTS = $(wildcard tests/unit/test_*.sh tests/cli/[0-9]*.sh tests/fuse/[0-9]*.sh tests/random/[0-9]*.sh)
TESTS = $(UNITS) $(SCRIPTS)
RUN =
# How many of them at a time: tests/schedule.yml.
JOBS := $(shell nproc)

.SECONDEXPANSION:
$(B)/lib%.a: $$(filter-out %/main.o,$$(OBJECTS_$$*))
	rm -f $@
	ar rcs $@ $^

$(UNITS): %: %.o $$(archives)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) -lcmocka

# Once more with the reader's flags: what takes constant time depends on the compiler.
$(B)/tests/unit/constant_time_small: $(B)/static/tests/unit/test_constant_time.o $$(archives)
	mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) -lcmocka

run-tests: bench-programs $(UNITS) $(REPLAYS) $(B)/tests/unit/constant_time_small \
		$(B)/tests/satchel-read
	BUILD=$(abspath $(B)) CMOCKA_MESSAGE_OUTPUT=TAP HARNESS_RULESFILE=tests/schedule.yml \
		prove -j $(JOBS) --failures --exec 'tests/tap $(RUN)' $(TESTS)

check: deps
	$(MAKE) run-tests

# What takes a quarter of an hour: large cases, a minute of idling, long reading.
check-mount-long: EXTRA = ffmpeg git mpv rsync sqlite3
check-mount-long: deps
	READ_SECONDS=300 $(MAKE) run-tests UNITS= \
		SCRIPTS="$(wildcard tests/fuse/long/*.sh) tests/fuse/21-many-readers-at-once.sh"

# Nothing is to be seen from outside, or with some of the keys: at length.
MANY = 1000

check-random: EXTRA = ent rng-tools5
check-random: deps
	$(MAKE) run-tests UNITS= SCRIPTS="$(wildcard tests/random/[0-9]*.sh)" MANY=$(MANY)

# What parity promises, at every place and for every pattern: the long form.
check-damage: deps
	SATCHEL_LONG=1 $(MAKE) run-tests UNITS=$(B)/tests/unit/test_damage \
		SCRIPTS="tests/cli/38-every-loss.sh $(wildcard tests/*/*-losses-*.sh)"

# For writers of other readers: bundle(5), "TEST KIT".
vectors: deps
	$(if $(DIR),,$(error where to? make vectors DIR=kit))
	mkdir -p "$(DIR)"
	tests/encode.py --kit "$(DIR)"

# Every call that can fail does, once and from then on: the long form.
check-faults: deps
	SATCHEL_LONG=1 $(MAKE) run-tests UNITS= SCRIPTS="$(wildcard tests/*/8[01]-*.sh)"

# Memory after the end and under pressure, a stick that is pulled: in a machine of its own, with
# Debian's kernel.
check-qemu: EXTRA = qemu-system-x86 busybox-static socat cpio kmod dosfstools mtools ffmpeg mpv \
	squashfs-tools squashfuse
check-qemu: deps
	$(MAKE) run-tests UNITS= SCRIPTS="$(addprefix tests/big/,$(addsuffix -in-qemu.sh,memory swap pulled))"

# What is left to a program that was taken over, where Landlock is of version 2.
check-sandbox: EXTRA = qemu-system-x86 busybox-static cpio kmod
check-sandbox: deps
	$(MAKE) run-tests TESTS=tests/big/sandbox-in-qemu.sh

# A stick that cannot be read here and there.
check-sticks: EXTRA = qemu-system-x86 busybox-static dmsetup cpio kmod e2fsprogs dosfstools mtools
check-sticks: deps
	$(MAKE) run-tests UNITS= SCRIPTS=tests/big/sticks-in-qemu.sh

# 12 GiB for FAT32, in /var/tmp: wants 32 GB of room.
check-volumes: EXTRA = openssl
check-volumes: deps
	$(MAKE) run-tests UNITS= SCRIPTS=tests/big/volumes.sh

# The reader on processors of other kinds.
check-foreign: EXTRA = gcc-s390x-linux-gnu libc6-dev-s390x-cross gcc-i686-linux-gnu libc6-dev-i386-cross \
	qemu-user-static
check-foreign: deps
	$(MAKE) run-tests UNITS= SCRIPTS=tests/big/foreign.sh

# What a desktop writes to the disk of what it is shown; of a private session nothing.
check-desktop: EXTRA = dbus-daemon e2fsprogs evince ffmpeg gvfs mpv nautilus pcmanfm python3-pil xvfb
check-desktop: deps
	$(MAKE) run-tests UNITS= SCRIPTS=tests/big/desktop.sh

# The same under a sanitizer.  Static and fortified builds cannot have one.
SANE = -O1 -g -fno-omit-frame-pointer
variant = $(MAKE) B=build-$@ STATIC=no OPT="$(SANE)" HARDEN="$(1)"

asan: deps
	$(call variant,-fsanitize=address$(comma)undefined -fno-sanitize-recover=all) run-tests

tsan: deps
	$(call variant,-fsanitize=thread) run-tests

# clang's, for memory that was never written: all that takes a forger's bytes apart.  What
# Debian's libraries write it takes for unwritten, but for what tests/fuzz/written.c says;
# libarchive's structures, libfuse and whole programs are left to valgrind.
MSAN_REPLAYS = $(filter-out archive,$(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c)))

msan: EXTRA = clang libclang-rt-14-dev
msan: deps
	$(call variant,-fsanitize=memory -fsanitize-memory-track-origins) CC=$(CLANG) run-msan

run-msan: $(addprefix $(B)/tests/fuzz/replay_,$(MSAN_REPLAYS))
	for f in $(MSAN_REPLAYS); do \
		$(B)/tests/fuzz/replay_$$f tests/fuzz/corpus/$$f/* || exit 1; \
	done

# The whole suite, which takes hours, but for scripts that try thousands of calls or losses one
# by one, that limit memory, that look into processes, and 51, which has a valgrind of its own.
VALGRIND_SCRIPTS = $(filter-out $(addprefix tests/,cli/27% cli/38-e% cli/45% cli/51% cli/56% cli/57% cli/8% \
	fuse/42% fuse/8%),$(wildcard tests/cli/[0-9]*.sh tests/fuse/[0-9]*.sh))

LEAKS = --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite

valgrind: deps
	$(call variant) SCRIPTS= RUN="valgrind -q --error-exitcode=99 $(LEAKS)" run-tests
	VALGRIND=1 $(call variant) TESTS="$(VALGRIND_SCRIPTS)" run-tests

# clang's, whose counters lie in a file from the start: they count in what is confined,
# and in what ends by _exit(2) or is killed.  What fails here fails in "check", too.
COUNTED = -fprofile-instr-generate=$(CURDIR)/build-coverage/counts/%m%c.profraw \
	-fcoverage-mapping -mllvm -runtime-counter-relocation

coverage: EXTRA = clang libclang-rt-14-dev llvm-14
coverage: deps
	rm -rf build-$@/counts
	-$(call variant,$(COUNTED)) CC=$(CLANG) run-tests
	tests/coverage.py build-$@

lint: EXTRA = cppcheck
lint: deps
	$(MAKE) all
	tests/lint.sh $(B)

# Each tests/fuzz/fuzz_x.c runs FUZZ_SECONDS, from tests/fuzz/corpus/x.  An input that
# takes long, or much memory, is a finding like any other.
FUZZ_SECONDS = 60
FUZZ_HARDEN = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_BOUNDS = -max_len=20000 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=64

fuzz: EXTRA = clang libclang-rt-14-dev
fuzz: deps
	$(call variant,$(FUZZ_HARDEN)) CC=$(CLANG) run-fuzz

$(B)/tests/fuzz/fuzz_reader $(B)/tests/fuzz/replay_reader: LDFLAGS += -Wl,--wrap=bundle_read
$(B)/tests/fuzz/fuzz_verbs $(B)/tests/fuzz/replay_verbs: LDFLAGS += -Wl,--wrap=session_run

$(FUZZERS): %: %.o $(door) $$(archives)
	$(CC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(ALL_LIBS)

$(REPLAYS): $(B)/tests/fuzz/replay_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(door) \
		$$(archives)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LIBS)

# An archive may name a dictionary of gigabytes, which liblzma asks for and hardly uses.
run-fuzz: $(FUZZERS)
	for f in $^; do \
		found=$(B)/corpus/$${f##*/fuzz_}; mkdir -p $$found; \
		case $$f in *_archive) bounds=allocator_may_return_null=1:max_allocation_size_mb=60 ;; *) bounds= ;; esac; \
		ASAN_OPTIONS=$$bounds $$f -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$$found- \
			$(FUZZ_BOUNDS) -close_fd_mask=2 $$found \
			$$(ls -d tests/fuzz/corpus/$${f##*/fuzz_} 2>/dev/null) || exit 1; \
	done

# After a long run: what was found joins tests/fuzz/corpus, and only as many inputs stay
# as it takes to get everywhere.
fuzz-merge: EXTRA = clang libclang-rt-14-dev
fuzz-merge: deps
	$(MAKE) B=build-fuzz STATIC=no OPT="$(SANE)" CC=$(CLANG) run-fuzz-merge HARDEN="$(FUZZ_HARDEN)"

run-fuzz-merge: $(FUZZERS)
	for f in $^; do \
		found=$(B)/corpus/$${f##*/fuzz_}; kept=tests/fuzz/corpus/$${f##*/fuzz_}; \
		rm -rf $(B)/merged; mkdir -p $$found $$kept $(B)/merged; \
		$$f -merge=1 $(FUZZ_BOUNDS) -close_fd_mask=2 $(B)/merged $$kept $$found || exit 1; \
		rm -rf $$kept; mv $(B)/merged $$kept; \
	done

# Beside every peer, and beside what the machine can do: tests/bench/README.
BENCH_PACKAGES = 7zip age borgbackup python3-pyfuse3 cryfs dar ffmpeg fio fuse3 gnuplot-nox gocryptfs \
	libfuse3-dev minisign restic securefs squashfs-tools squashfuse xz-utils zstd

bench: EXTRA = $(BENCH_PACKAGES)
bench: deps
	$(MAKE) bench-programs
	/usr/bin/python3 -B tests/bench/bench.py $(B)

bench-programs: all $(B)/tests/bench/limits $(B)/tests/bench/null_fuse

$(B)/tests/bench/limits: LIBS = -lcrypto -lsodium -lzstd -lpthread
$(B)/tests/bench/null_fuse: LIBS = -lfuse3 -lpthread
$(B)/tests/bench/null_fuse.o: CPPFLAGS += -I/usr/include/fuse3
$(B)/tests/bench/limits: $(B)/common/hash4.o
$(B)/tests/bench/limits $(B)/tests/bench/null_fuse: %: %.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Little more than half as large, from Debian's archives made for glibc: reader/musl/shim.c.
MUSL = $(B)/musl
MUSL_HEADERS = sodium.h sodium zstd.h zstd_errors.h utf8proc.h linux asm-generic $(ARCH)/asm
MUSL_ARCHIVES = $(patsubst %,/usr/lib/$(ARCH)/lib%.a,sodium zstd utf8proc)
# Position-independent and static: musl-gcc knows no such thing, and musl before 1.2.4 no
# packed relocations.
MUSL_CRT = $(patsubst %,/usr/lib/$(subst gnu,musl,$(ARCH))/%.o,$(1))
MUSL_PIE = -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text,-z,nopack-relative-relocs

reader-musl: EXTRA = musl-tools
reader-musl: deps
	$(MAKE) $(B)/satchel-read-musl

$(B)/satchel-read-musl: $(SOURCES_reader) reader/musl/shim.c Makefile
	mkdir -p $(MUSL)
	ln -sfn $(addprefix /usr/include/,$(MUSL_HEADERS)) $(MUSL)
	musl-gcc $(CPPFLAGS) $(STATIC_CFLAGS) -isystem $(MUSL) $(LDFLAGS) $(MUSL_PIE) -o $@ \
		$(call MUSL_CRT,rcrt1 crti) $(filter %.c,$^) $(MUSL_ARCHIVES) $(call MUSL_CRT,crtn)

demo: deps
	$(MAKE) all
	tests/demo.sh $(B) $(if $(DIR),"$(DIR)")

PACKAGES = gcc libc6-dev libsodium-dev libzstd-dev libutf8proc-dev libarchive-dev libisal-dev \
	libinih-dev libseccomp-dev libssl-dev diceware \
	$(if $(wildcard fusefs/*.c),libfuse3-dev fuse3 libsystemd-dev pkgconf)
TEST_PACKAGES = libcmocka-dev perl python3 python3-nacl python3-zstandard python3-argon2 jq \
	strace attr valgrind mandoc shellcheck clang-format bash-completion age minisign libarchive-tools \
	dbus python3-dbusmock time btrfs-progs gdb bzip2 xz-utils zstd procps
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

deps:
	@missing=; for p in $(PACKAGES) $(TEST_PACKAGES) $(EXTRA); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q ' installed$$' || \
			missing="$$missing $$p"; \
	done; \
	[ -z "$$missing" ] || { set -x; $(SUDO) apt-get update && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y --no-install-recommends $$missing; }

BIN = $(DESTDIR)$(PREFIX)/bin
MAN = $(DESTDIR)$(PREFIX)/share/man
COMPLETIONS = $(DESTDIR)$(PREFIX)/share/bash-completion/completions

# A tool's completion lies with it: bundler/satchel-pack.bash.
install: all
	install -d $(BIN) $(MAN)/man1 $(MAN)/man5 $(COMPLETIONS)
	for f in $(PROGRAMS); do install -m 755 $$f $(BIN) || exit 1; done
	for f in $(wildcard man/*.[15]); do install -m 644 $$f $(MAN)/man$${f##*.} || exit 1; done
	for f in $(wildcard */satchel-*.bash); do \
		install -m 644 $$f $(COMPLETIONS)/$$(basename $$f .bash) || exit 1; \
	done

uninstall:
	rm -f $(addprefix $(BIN)/,$(notdir $(PROGRAMS)))
	rm -f $(foreach f,$(notdir $(wildcard man/*.[15])),$(MAN)/man$(subst .,,$(suffix $(f)))/$(f))
	rm -f $(addprefix $(COMPLETIONS)/,$(basename $(notdir $(wildcard */satchel-*.bash))))

dist:
	git archive --prefix=satchel-$(VERSION)/ -o satchel-$(VERSION).tar.gz HEAD

# The packages, of what is committed: build-deb/*.deb.
deb: EXTRA = debhelper lintian
deb: deps
	rm -rf build-$@
	mkdir build-$@
	git archive --prefix=satchel/ HEAD | tar -xC build-$@
	cd build-$@/satchel && dpkg-buildpackage -us -uc -b
	lintian --allow-root -EvIL +pedantic --fail-on error,warning build-$@/*.changes

# They come out the same to the bit wherever, whenever and by whomever they are made.
check-deb: EXTRA = debhelper locales
check-deb: deps
	tests/big/deb-twice.sh

# And go, as they came, in a Debian that has nothing else.
check-deb-install: EXTRA = debootstrap
check-deb-install: deps
	$(MAKE) deb
	$(MAKE) run-tests UNITS= SCRIPTS=tests/big/deb-install.sh

clean:
	rm -rf build build-*

.DELETE_ON_ERROR:
.SECONDARY:
export SECTIONS RUNS PEERS PLACES CASES BENCH_DIR BENCH_HUGE BENCH_TIMEOUT BENCH_TINY
.PHONY: all bench bench-programs check check-damage check-deb check-deb-install check-desktop check-faults check-foreign check-mount-long check-qemu check-random check-sandbox \
	check-sticks check-volumes run-tests asan tsan msan run-msan valgrind vectors \
	coverage lint fuzz run-fuzz fuzz-merge run-fuzz-merge reader-musl demo deps install uninstall dist deb clean
