# SPDX-License-Identifier: GPL-2.0
# AF_SSS. "make help" lists what can be done. The module itself is described
# by Kbuild; this file builds, installs, tests and shows it.

SSS_CACHE ?= /var/cache/af_sss
SSS_BUILD ?= $(CURDIR)/build
DESTDIR ?=
export SSS_CACHE SSS_BUILD KDIR T LIST FILE

RUN := selftests/vm/run

all: userspace module

help:
	@echo "make            build the module for the running kernel (or KDIR=folder), libsss and the tools"
	@echo "make install    install them, then depmod"
	@echo "make load       load the module just built, after the modules it needs"
	@echo "make demo       a file over AF_SSS in a virtual machine; FILE=path: your own, NATIVE=1: no machine"
	@echo "make demo-nat   the same between two NATs, found by EID; NAT=symmetric: through the relay"
	@echo "make shell      a shell in the virtual machine, the module loaded, alice and bob up"
	@echo "make check      all tests on Debian's kernels 6.1 and 6.12, two CPUs, and the static checks"
	@echo "make check-debug  tests on a kernel with KASAN, lockdep, kmemleak and failing allocations"
	@echo "make check-time   tests about network time, in virtual time"
	@echo "make check-race   two-CPU tests with KASAN and lockdep (slow)"
	@echo "make soak       tests too long for the above"
	@echo "make unit       tests that need no kernel"
	@echo "make lint       static checks alone"
	@echo "make bench      speed, against TCP, kTLS and WireGuard; a server of 100,000 hosts"
	@echo "make clean      remove everything built here; kernels and packages stay in $(SSS_CACHE)"
	@echo "T=pattern runs only the tests whose name matches, LIST=1 lists them"

# Userspace

packages:
	@scripts/setup build

userspace: packages
	@echo "== building libsss and the tools" >&2
	@$(MAKE) -s -j$(shell nproc) -C userspace BUILD=$(SSS_BUILD) all

programs: userspace
	@scripts/kernel source612
	@echo "== building the test programs" >&2
	@$(MAKE) -s -j$(shell nproc) -C selftests BUILD=$(SSS_BUILD) SSS_CACHE=$(SSS_CACHE) all

# The module, on this machine's kernel

module: packages
	@scripts/module native >/dev/null

install: all
	@echo "== installing" >&2
	@$(MAKE) -s -C userspace BUILD=$(SSS_BUILD) DESTDIR=$(DESTDIR) install
	@release=$$(modinfo -F vermagic $(SSS_BUILD)/native/sss.ko | cut -d' ' -f1) && \
	install -D -m 644 $(SSS_BUILD)/native/sss.ko $(DESTDIR)/lib/modules/$$release/updates/sss.ko && \
	depmod -b $(DESTDIR)/ $$release

load: module
	@scripts/load $(SSS_BUILD)/native/sss.ko
	@echo "== AF_SSS is there: socket(22, SOCK_STREAM, 0)" >&2

# Showing it

# The file to send: FILE, or the kernel's own image unpacked.
to_send = $$(if [ -n "$$FILE" ]; then realpath "$$FILE"; else scripts/demo-file $(1); fi)

demo: userspace
ifdef NATIVE
	@scripts/setup tests
	@$(MAKE) -s load
	@file=$(call to_send,/boot/vmlinuz-$(shell uname -r)) && \
	SSS_BUILD=$(SSS_BUILD) PATH=$(SSS_BUILD)/bin:$$PATH selftests/demo.sh "$$file"
else
	@scripts/setup build vm tests
	@scripts/kernel stock61
	@file=$(call to_send,$(SSS_CACHE)/stock61/boot/vmlinuz-*) && \
	$(RUN) --kernel stock61 --mem 3072 --timeout 1800 --out $(SSS_BUILD)/log/demo -- \
		selftests/demo.sh "$$file"
endif

# The image as it is: smaller. NAT=KIND[:KIND] is for selftests/demo-nat.sh.
packed = $$(realpath "$${FILE:-$$(echo $(1))}")

demo-nat: userspace
ifdef NATIVE
	@scripts/setup tests
	@$(MAKE) -s load
	@SSS_BUILD=$(SSS_BUILD) PATH=$(SSS_BUILD)/bin:$$PATH NAT='$(NAT)' \
		selftests/demo-nat.sh "$(call packed,/boot/vmlinuz-$(shell uname -r))"
else
	@scripts/setup build vm tests
	@scripts/kernel stock61
	@$(RUN) --kernel stock61 --timeout 900 --out $(SSS_BUILD)/log/demo-nat -- \
		env NAT='$(NAT)' selftests/demo-nat.sh "$(call packed,$(SSS_CACHE)/stock61/boot/vmlinuz-*)"
endif

shell: programs
	@$(RUN) --kernel stock61 --timeout 86400 --out $(SSS_BUILD)/log/shell --shell -- \
		selftests/demo.sh --up

ENTRIES ?= 100000

bench: programs
	@selftests/build-module selftests/bench/limit release
	@status=0; $(RUN) --kernel release --timeout 1800 --out $(SSS_BUILD)/log/bench -- \
		selftests/bench/bench || status=$$?; \
	cp $(SSS_BUILD)/log/bench/bench.json $(SSS_BUILD)/bench.json && exit $$status
	@echo "== SST's figures 7 and 9, and delays beside a lossy TCP, in virtual time" >&2
	@$(RUN) --kernel time --timeout 900 --out $(SSS_BUILD)/log/figures -- \
		sh -c 'transactions_time -t figure_7; priorities_time -t figure_9; blocking_time' \
		>$(SSS_BUILD)/log/figures.txt
	@python3 selftests/bench/plot.py $(SSS_BUILD) <$(SSS_BUILD)/log/figures.txt
	@echo "they are in $(SSS_BUILD)/figure7.svg, figure9.svg and blocking.svg"
	@echo "== a registration server with $(ENTRIES) entries: alone, then over AF_SSS" >&2
	@PATH=$(SSS_BUILD)/bin:$(SSS_BUILD)/tests:$$PATH selftests/regserver/bench.sh $(ENTRIES)
	@$(RUN) --kernel release --timeout 900 --out $(SSS_BUILD)/log/scale -- \
		selftests/regserver/bench.sh $(ENTRIES) sss
	@echo "== its relay, and plain routing" >&2
	@PATH=$(SSS_BUILD)/bin:$(SSS_BUILD)/tests:$$PATH relay_bench

# Testing it

ifdef LIST
programs-if-run:
else
programs-if-run: programs
endif

check: programs-if-run
	@[ -n "$(LIST)" ] || for kernel in stock61 stock612; do \
		selftests/build-module selftests/family $$kernel && \
		selftests/build-module selftests/vmfork $$kernel || exit; done
	@selftests/check lint unit stock61 stock612 simd

check-debug: programs-if-run
	@selftests/check debug

check-time: programs-if-run
	@selftests/check time

check-race: programs-if-run
	@selftests/check race

soak: programs-if-run
	@selftests/check soak soak-time soak-release

unit: programs-if-run
	@selftests/check unit

lint:
	@selftests/check lint

clean:
	rm -rf $(SSS_BUILD)

.PHONY: all help packages userspace programs programs-if-run module install load demo demo-nat shell \
	bench check check-debug check-time check-race soak unit lint clean
