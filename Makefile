# make                 build/wrun            make module    build/wrun.so, for a stock lua5.4
# make mnist ARGS=...  train on MNIST        make bench     measure
# make test            every spec            make lint      style and static analysis
# make check-all       the specs again, under sanitizers and valgrind
# make parity          how much of PyTorch's interface is here and agrees
# make structure       the folders, and what uses what
# make docs            the reference, in build/docs
# make fuzz            FUZZ_SECONDS=60 ONLY=npy: the readers of data files, given any bytes
# make install         PREFIX=/usr/local DESTDIR=
#
# Missing Debian packages (listed in .packages) are installed first; "make deps" does only that.

CFLAGS   ?= -O3 -g
CPPFLAGS ?=
LDFLAGS  ?=
PREFIX   ?= /usr/local
BUILD    ?= build
BUSTED   ?= $$(command -v busted) --ignore-lua
VALGRIND ?= valgrind --quiet --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite

WARNINGS  := -Wall -Wextra -Wshadow -Wconversion -Wdouble-promotion -Wmissing-prototypes \
             -Wstrict-prototypes -Wundef -Wvla -Werror
LIBRARIES := lua5.4 openblas libedit zlib libmd libpng jansson

# Asked once, and not before the packages are there.
LIBRARY_CFLAGS = $(eval LIBRARY_CFLAGS := $(shell pkg-config --cflags $(LIBRARIES)))$(LIBRARY_CFLAGS)
LIBRARY_LIBS   = $(eval LIBRARY_LIBS := $(shell pkg-config --libs $(LIBRARIES)))$(LIBRARY_LIBS)

# Copies of a tensor's few sizes, which GCC would make string instructions of that take longer than
# all the rest of a small operation.
COPIES = $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine)),$\
         -mmemcpy-strategy=unrolled_loop:128:noalign$(comma)libcall:-1:noalign)
comma := ,

COMPILE = $(CC) -std=c11 -D_GNU_SOURCE -fPIC -fvisibility=hidden -fno-math-errno -fwrapv -pthread \
          $(COPIES) $(WARNINGS) -Iruntime -I$(BUILD) $(LIBRARY_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK    = $(CC) $(CFLAGS) $(LDFLAGS) -Wl,--as-needed -pthread

SOURCES  := $(wildcard runtime/*/*.c)
HEADERS  := $(wildcard runtime/*/*.h)
OBJECTS  := $(SOURCES:runtime/%.c=$(BUILD)/%.o)
LUA      := $(shell find lua -name '*.lua' | LC_ALL=C sort)
SCRIPTS  := $(wildcard scripts/*.lua)
EMBEDDED := $(LUA) $(SCRIPTS)

.PHONY: all module deps test structure parity docs lint check-asan check-valgrind check-all fuzz bench \
        mnist install uninstall clean FORCE
.DELETE_ON_ERROR:

all: $(BUILD)/wrun
module: $(BUILD)/wrun.so

$(BUILD)/wrun: $(OBJECTS)
	@echo "LD $@"
	@$(LINK) -o $@ $^ $(LIBRARY_LIBS) -ldl -lm

# All but the command, of which a module keeps only the files inside it.
$(BUILD)/wrun.so: $(filter-out $(BUILD)/command/%,$(OBJECTS)) $(BUILD)/command/embedded.o
	@echo "LD $@"
	@$(LINK) -shared -o $@ $^ $(filter-out -llua5.4,$(LIBRARY_LIBS)) -ldl -lm

$(BUILD)/%.o: runtime/%.c Makefile | build/packages-build
	@echo "CC $<"
	@mkdir -p $(@D)
	@$(COMPILE) -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d)

# The files inside the binary; written anew only when the list has changed.
$(BUILD)/command/embedded.o: $(BUILD)/embedded_table.h $(EMBEDDED)
$(BUILD)/embedded_table.h: FORCE
	@mkdir -p $(@D)
	@number=0; for file in $(EMBEDDED); do number=$$((number + 1)); echo "ROW($$number, \"$$file\")"; \
	done > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# A stamp for each group of packages: while it is newer than the list, nothing is asked.
build/packages-%: .packages
	@mkdir -p build
	@missing=; if command -v dpkg-query >/dev/null; then \
	for package in $$(awk '$$1 == "$*" { print $$2 }' .packages); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' \
	    || missing="$$missing $$package"; \
	done; fi; \
	if [ -n "$$missing" ]; then \
	  echo "Installing$$missing"; \
	  sudo=; if [ "$$(id -u)" != 0 ]; then sudo="sudo"; fi; \
	  $$sudo apt-get update -qq; \
	  $$sudo env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends $$missing \
	    || { echo "As root: apt-get install$$missing" >&2; exit 1; }; \
	fi
	@touch $@

deps: $(addprefix build/packages-,build data test docs lint check)

test: all module build/packages-test
	$(BUILD)/wrun $(BUSTED) $(SPEC)

# The folders, who uses whom, and what runs up or in a circle.
structure: all build/packages-test
	@$(BUILD)/wrun spec/structure.lua

parity: all build/packages-test
	$(BUILD)/wrun spec/parity.lua

lint: $(BUILD)/embedded_table.h build/packages-lint
	clang-format --dry-run -Werror $(SOURCES) $(HEADERS) scripts/bench/*.c spec/fuzz/*.c
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --error-exitcode=1 \
	  --inline-suppr --suppress=unknownMacro:runtime/kernels/ops.def \
	  -D'_Noreturn=__attribute__((noreturn))' -Iruntime -I$(BUILD) runtime
	luacheck --quiet lua scripts spec

# Here too a malloc that fails must return NULL, as Lua expects.
check-asan: build/packages-test
	$(MAKE) all BUILD=build/asan \
	  CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
	ASAN_OPTIONS=allocator_may_return_null=1 build/asan/wrun $(BUSTED) --exclude-tags=memory,slow $(SPEC)

# Forty times slower: what is tagged #many repeats with more numbers what others do with few.
check-valgrind: all build/packages-test build/packages-check
	$(VALGRIND) $(BUILD)/wrun $(BUSTED) --exclude-tags=memory,slow,many $(SPEC)

# Every byte string is a data file that somebody may have. What is found is in build/fuzz.
FUZZ_CC      ?= clang-14
FUZZ_SECONDS ?= 60
FUZZ_FORMATS := csv gzip idx npy npz safetensors
FUZZ_SOURCES := $(wildcard runtime/tensor/*.c) \
                $(filter-out %/download.c %/image.c,$(wildcard runtime/formats/*.c))

$(BUILD)/fuzz/%: spec/fuzz/formats.c $(FUZZ_SOURCES) $(HEADERS) | build/packages-fuzz
	@echo "CC $@"
	@mkdir -p $(BUILD)/fuzz
	@$(FUZZ_CC) -std=c11 -D_GNU_SOURCE -O1 -g $(LIBRARY_CFLAGS) -Iruntime \
	  -DFORMAT=$* -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
	  -o $@ spec/fuzz/formats.c $(FUZZ_SOURCES) -pthread $(LIBRARY_LIBS) -lm

fuzz: all build/packages-fuzz $(FUZZ_FORMATS:%=$(BUILD)/fuzz/%)
	@for format in $(or $(ONLY),$(FUZZ_FORMATS)); do \
	  seeds=$(BUILD)/fuzz/$$format-seeds; corpus=$(BUILD)/fuzz/$$format-corpus; \
	  mkdir -p $$seeds $$corpus; $(BUILD)/wrun spec/fuzz/seeds.lua $$format $$seeds || exit 1; \
	  $(BUILD)/fuzz/$$format -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 \
	    -rss_limit_mb=1024 -artifact_prefix=$(BUILD)/fuzz/$$format- -print_final_stats=1 \
	    $$corpus $$seeds || exit 1; \
	done

check-all: lint
	$(MAKE) test SPEC=--run=all
	$(MAKE) check-asan
	$(MAKE) check-valgrind

# The bare products that the benchmarks compare with.
$(BUILD)/bare.so: scripts/bench/bare.c Makefile | build/packages-build
	@echo "CC $<"
	@$(COMPILE) $(LDFLAGS) -shared -Wl,--as-needed -o $@ $< $(filter-out -llua5.4,$(LIBRARY_LIBS))

bench: all $(BUILD)/bare.so
	@for part in $(or $(ONLY),epoch small start memory elementwise rbm); do \
	  $(BUILD)/wrun scripts/bench/all.lua $$part || exit 1; \
	done

# LDoc's input, with a configuration of its own, is written by wrun.
docs: all build/packages-docs
	@rm -rf $(BUILD)/reference $(BUILD)/docs && mkdir -p $(BUILD)/reference
	@$(BUILD)/wrun scripts/docs/ldoc.lua $(BUILD)/reference $(BUILD)/docs
	@ldoc --quiet --config $(BUILD)/reference/config.ld $(BUILD)/reference
	@echo "$(BUILD)/docs/index.html"

mnist: all build/packages-data
	$(BUILD)/wrun scripts/mnist_xavier.lua $(ARGS)

install: all
	install -D -s $(BUILD)/wrun $(DESTDIR)$(PREFIX)/bin/wrun

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/wrun

clean:
	rm -rf build
