# "make help" lists the targets: each has a line that begins with ## above it.
#
# Missing Debian packages (listed in .packages) are installed first; "make deps" does only that.

CFLAGS   ?= -O3 -g
CPPFLAGS ?=
LDFLAGS  ?=
PREFIX   ?= /usr/local
BUILD    ?= build
MAINTAINER ?= The wrun authors <wrun@example.org>
BUSTED   ?= $$(command -v busted) --ignore-lua
PYTHON   ?= python3
VALGRIND ?= valgrind --quiet --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite

WARNINGS  := -Wall -Wextra -Wshadow -Wconversion -Wdouble-promotion -Wmissing-prototypes \
             -Wstrict-prototypes -Wundef -Wvla -Werror
LIBRARIES := lua5.4 libedit zlib libmd libpng jansson

# Asked once, and not before the packages are there.
LIBRARY_CFLAGS = $(eval LIBRARY_CFLAGS := $(shell pkg-config --cflags $(LIBRARIES) openblas))$(LIBRARY_CFLAGS)
LIBRARY_LIBS   = $(eval LIBRARY_LIBS := $(shell pkg-config --libs $(LIBRARIES)))$(LIBRARY_LIBS)

# Copies of a tensor's few sizes, which GCC would make string instructions of that take longer than
# all the rest of a small operation.
COPIES = $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine)),$\
         -mmemcpy-strategy=unrolled_loop:256:noalign$(comma)libcall:-1:noalign)
comma := ,

COMPILE = $(CC) -std=c11 -D_GNU_SOURCE -fPIC -fvisibility=hidden -fno-math-errno -fwrapv -pthread \
          $(COPIES) $(WARNINGS) -Iruntime -I$(BUILD) -Wa,-I$(BUILD) $(LIBRARY_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK    = $(CC) $(CFLAGS) $(LDFLAGS) -Wl,--as-needed -pthread

VERSION  := $(shell sed -n 's/^\#define VERSION "wrun \(.*\)"/\1/p' runtime/tensor/base.h)
SOURCES  := $(wildcard runtime/*/*.c)
HEADERS  := $(wildcard runtime/*/*.h)
FORMATTED = $(SOURCES) $(HEADERS) $(wildcard scripts/bench/*.c spec/*.c spec/*/*.c)
OBJECTS  := $(SOURCES:runtime/%.c=$(BUILD)/%.o)
LUA      := $(shell find lua -name '*.lua' | LC_ALL=C sort)
SCRIPTS  := $(wildcard scripts/*.lua)
EMBEDDED := $(LUA) $(SCRIPTS)
GUIDE    := $(shell find scripts/docs spec/examples -type f)

.PHONY: all help module debug deps test coverage structure parity extremes round-trips kills \
        rank-kills portable docs types lint format check-alloc check-asan check-tsan check-valgrind \
        check-ranks check-all tsan valgrind fuzz fuzz-interface bench bench-growth bench-ir \
        bench-ulp bench-compare mnist tree install uninstall deb rock clean FORCE
.DELETE_ON_ERROR:

## build/wrun, the program; build/compile_commands.json, for editors
all: $(BUILD)/wrun $(BUILD)/compile_commands.json

## this list
help:
	@awk '/^## / { text = substr($$0, 4); next } \
	  text && /^[a-z-]+:/ { sub(/:.*/, ""); printf "make %-15s %s\n", $$0, text } \
	  { text = "" }' Makefile

## build/wrun.so, with which a stock lua5.4 can require "wrun"
module: $(BUILD)/wrun.so

## build/debug/wrun, for a debugger: -Og -g3
debug:
	@$(MAKE) all BUILD=build/debug CFLAGS="-Og -g3"
	@echo "On one thread: gdb --args build/debug/wrun --threads 1 SCRIPT"

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

# Its loops become vectors only where nothing is computed in a branch; GCC would move into one what
# `where` picks from.
$(BUILD)/kernels/operations.o: COMPILE += -fno-tree-sink

-include $(OBJECTS:.o=.d)

# How each file is compiled, for clangd.
$(BUILD)/compile_commands.json: $(SOURCES) Makefile | build/packages-build
	@mkdir -p $(@D)
	@{ separator='['; for file in $(SOURCES); do \
	  printf '%s\n{"directory": "%s", "file": "%s",\n "command": "%s"}' "$$separator" \
	    '$(CURDIR)' "$$file" "$(COMPILE) -c $$file"; separator=','; done; echo ']'; } >$@

# The files inside the binary, the modules among them compiled too; the list is written anew only
# when it has changed.
$(BUILD)/command/embedded.o: $(BUILD)/embedded_table.h $(BUILD)/chunks/done $(EMBEDDED)
$(BUILD)/embedded_table.h: FORCE
	@mkdir -p $(@D)
	@number=0; for file in $(EMBEDDED); do number=$$((number + 1)); \
	  case $$file in lua/*) row=MODULE;; *) row=SCRIPT;; esac; echo "$$row($$number, \"$$file\")"; \
	done > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(BUILD)/chunks/done: runtime/command/precompile.lua $(BUILD)/embedded_table.h $(LUA) | build/packages-build
	@mkdir -p $(@D)
	@lua5.4 $< $(BUILD)/embedded_table.h $(@D)
	@touch $@

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

## every Debian package that some target needs
deps: $(addprefix build/packages-,build data test mpi docs package emulate lint check fuzz)

## every spec; SPEC=spec/tensor runs what is there
test: all module $(BUILD)/refuse.so build/packages-test build/packages-mpi
	$(BUILD)/wrun $(BUSTED) $(SPEC)

## the specs, and for each folder how many lines of C they run
coverage: build/packages-test
	@$(MAKE) all BUILD=build/coverage CFLAGS="-O1 -g --coverage -fprofile-update=atomic"
	@find build/coverage -name '*.gcda' -delete
	build/coverage/wrun $(BUSTED) --exclude-tags=memory,slow $(SPEC)
	@build/coverage/wrun spec/coverage.lua build/coverage

## the folders, who uses whom, and what runs up or in a circle
structure: all build/packages-test
	@$(BUILD)/wrun spec/structure.lua

## elementwise operations and three derivatives of each at extremes, beside mpmath's values
extremes: all build/packages-test
	$(BUILD)/wrun spec/extremes.lua $(ARGS)

## random files of each format, written and read again; COUNT=10000 SEED=1
round-trips: all build/packages-test
	WRUN_ROUND_TRIPS=$(or $(COUNT),10000) WRUN_SEED=$(or $(SEED),1) \
	  $(BUILD)/wrun $(BUSTED) --output=TAP spec/runtime/round_trips_spec.lua

## runs killed at random moments, each of which then goes on to its end; COUNT=300 SEED=1
kills: all build/packages-test
	@$(BUILD)/wrun spec/kills.lua $(or $(COUNT),300) $(or $(SEED),1)

## results here and under emulated processors, beside the committed ones; ONLY="Haswell EPYC"
portable: all build/packages-test build/packages-emulate $(BUILD)/products $(BUILD)/products-arm64
	@$(BUILD)/products >$(BUILD)/products.txt
	@qemu-aarch64 $(BUILD)/products-arm64 | cmp - $(BUILD)/products.txt && echo "arm64: the same products"
	@$(BUILD)/wrun spec/portable.lua $(or $(ONLY),Haswell EPYC max)

PRODUCTS := spec/products.c runtime/kernels/product.c runtime/tensor/dtype.c
$(BUILD)/products: $(PRODUCTS) $(HEADERS) Makefile
	@$(COMPILE) $(LDFLAGS) -o $@ $(PRODUCTS) -lm
$(BUILD)/products-arm64: $(PRODUCTS) $(HEADERS) Makefile | build/packages-emulate
	@aarch64-linux-gnu-gcc -std=c11 -O3 -Iruntime -static -o $@ $(PRODUCTS) -lm

## runs of several ranks of which one is killed, and which go on on other ranks; COUNT=50 SEED=1
rank-kills: all build/packages-test build/packages-mpi
	@$(BUILD)/wrun spec/rank_kills.lua $(or $(COUNT),50) $(or $(SEED),1)

## how much of PyTorch's interface is here and agrees
parity: all build/packages-test
	$(BUILD)/wrun spec/parity.lua

## style and static analysis
lint: $(BUILD)/embedded_table.h build/packages-lint
	clang-format --dry-run -Werror $(FORMATTED)
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --error-exitcode=1 \
	  --inline-suppr --suppress=unknownMacro:runtime/kernels/ops.def \
	  -D'_Noreturn=__attribute__((noreturn))' -Iruntime -I$(BUILD) runtime
	luacheck --quiet lua scripts spec runtime

## clang-format on every file of C
format: build/packages-lint
	clang-format -i $(FORMATTED)

$(BUILD)/refuse.so: spec/alloc/refuse.c Makefile | build/packages-build
	@echo "CC $<"
	@$(COMPILE) $(LDFLAGS) -shared -Wl,-z,nodelete -o $@ $<

## programs in which each request of memory is refused once, by turns; ONLY=rbm ARGS="--step 100"
check-alloc: all $(BUILD)/refuse.so
	@printf '%s\n' $(or $(ONLY),training parts rbm) | xargs -P "$$(nproc)" -I PROGRAM \
	  env LUA_CPATH="$(BUILD)/?.so" LD_PRELOAD=$(BUILD)/refuse.so \
	  $(BUILD)/wrun --threads 1 spec/alloc.lua $(ARGS) PROGRAM

# Here too a malloc that fails must return NULL, as Lua expects.
MAKE_ASAN = $(MAKE) all build/asan/refuse.so BUILD=build/asan \
  CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
ASAN      = ASAN_OPTIONS=allocator_may_return_null=1:$(1) build/asan/wrun

## the specs under AddressSanitizer and UndefinedBehaviorSanitizer
check-asan: build/packages-test
	$(MAKE_ASAN)
	$(call ASAN) $(BUSTED) --exclude-tags=memory,slow $(SPEC)

# On more threads than many machines have processors; and where addresses need not be random,
# since ThreadSanitizer finds no room among those that are too much so.
THREADED ?= spec/runtime/threads_spec.lua spec/rbm spec/optim
FIXED    ?= $$(setarch -R true 2>/dev/null && echo setarch -R)

## build/tsan/wrun, for check-tsan
tsan:
	@$(MAKE) all BUILD=build/tsan CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=thread"

# What is tagged #many repeats with more numbers what others do with few; here it takes minutes.
## the specs of what uses several threads, under ThreadSanitizer
check-tsan: tsan build/packages-test
	TSAN_OPTIONS=halt_on_error=1 $(FIXED) build/tsan/wrun --threads 3 $(BUSTED) \
	  --exclude-tags=memory,slow,many $(SPEC) $(THREADED)

# Each block comes from malloc, which valgrind watches.
## build/valgrind/wrun, for check-valgrind
valgrind:
	@$(MAKE) all BUILD=build/valgrind CPPFLAGS=-DALLOCATOR_KEEPS_SMALL=0

# What is tagged #many repeats with more numbers what others do with few.
## the specs under valgrind, forty times slower
check-valgrind: valgrind build/packages-test build/packages-check
	$(VALGRIND) build/valgrind/wrun $(BUSTED) --exclude-tags=memory,slow,many $(SPEC)

# Open MPI's own threads and leaks are its own affair.
RANKS = OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl=self,vader \
  OMPI_MCA_btl_vader_single_copy_mechanism=none mpirun --oversubscribe -n
OPENMPI_SUPPRESSIONS := spec/openmpi.supp $(wildcard /usr/share/openmpi/openmpi-valgrind.supp)

## several ranks, each of which ThreadSanitizer or valgrind watches
check-ranks: tsan valgrind build/packages-test build/packages-check build/packages-mpi
	TSAN_OPTIONS=halt_on_error=1 $(RANKS) 2 $(FIXED) build/tsan/wrun --threads 3 spec/ranks.lua
	for ranks in 2 3; do $(RANKS) $$ranks $(VALGRIND) --leak-check=no \
	  $(OPENMPI_SUPPRESSIONS:%=--suppressions=%) build/valgrind/wrun spec/ranks.lua || exit 1; done

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

## the readers of data files, given any bytes, and the interface; FUZZ_SECONDS=60 ONLY=npy
fuzz: all build/packages-fuzz $(FUZZ_FORMATS:%=$(BUILD)/fuzz/%)
	@for format in $(or $(ONLY),$(FUZZ_FORMATS)); do \
	  seeds=$(BUILD)/fuzz/$$format-seeds; corpus=$(BUILD)/fuzz/$$format-corpus; \
	  mkdir -p $$seeds $$corpus; $(BUILD)/wrun spec/fuzz/seeds.lua $$format $$seeds || exit 1; \
	  $(BUILD)/fuzz/$$format -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 \
	    -rss_limit_mb=1024 -artifact_prefix=$(BUILD)/fuzz/$$format- -print_final_stats=1 \
	    $$corpus $$seeds || exit 1; \
	done
	$(if $(ONLY),,@$(MAKE) --no-print-directory fuzz-interface)

# In little memory, since it asks for everything.
## random calls of all that is public, under sanitizers; FUZZ_SECONDS=60 SEED=1
fuzz-interface: build/packages-test
	@$(MAKE_ASAN)
	@$(call ASAN,max_allocation_size_mb=1000) spec/fuzz/interface.lua $(FUZZ_SECONDS) $(SEED)

## lint; every spec, also the slow ones; the sanitizers and valgrind
check-all: lint
	$(MAKE) test SPEC=--run=all
	$(MAKE) check-asan
	$(MAKE) check-tsan
	$(MAKE) check-valgrind
	$(MAKE) check-ranks

# The bare products that the benchmarks compare with.
$(BUILD)/bare.so: scripts/bench/bare.c Makefile | build/packages-build
	@echo "CC $<"
	@$(COMPILE) $(LDFLAGS) -shared -o $@ $< $$(pkg-config --libs openblas)

## measure; ONLY="epoch small", ROWS= patterns in large, PYTHON= a python3 that has PyTorch
bench: all $(BUILD)/bare.so build/packages-data
	@mkdir -p $(BUILD)/bench
	@file=$(BUILD)/bench/$$(date +%Y-%m-%dT%H-%M-%S).jsonl; \
	for part in $(or $(ONLY),epoch small start memory elementwise large stream rbm mpi portable); do \
	  $(BUILD)/wrun scripts/bench/all.lua --results $$file --python $(PYTHON) --rows "$(ROWS)" \
	    $$part || exit 1; \
	done; echo; echo "$$file"

## how steps grow with width, batch and depth, and epochs with rows, as pictures too
bench-growth:
	@$(MAKE) --no-print-directory bench ONLY=growth

## the same for small things in instructions, as valgrind counts them
bench-ir: build/packages-check
	@$(MAKE) --no-print-directory bench ONLY=instructions

# Linked with nothing but what computes elementwise.
$(BUILD)/ulp: scripts/bench/ulp.c $(addprefix $(BUILD)/,kernels/elementwise.o kernels/operations.o \
              kernels/convert.o kernels/reduce.o kernels/vector_math.o kernels/portable.o \
              $(patsubst runtime/%.c,%.o,$(wildcard runtime/tensor/*.c)))
	@echo "LD $@"
	@$(COMPILE) $(LDFLAGS) -o $@ $^ -lm

## elementwise operations of all floats, in units in the last place; ROWS="exp erf", EVERY=1000
bench-ulp: $(BUILD)/ulp
	@$(BUILD)/ulp $(if $(EVERY),--every $(EVERY)) $(ROWS)

## two results of it side by side: A=FILE B=FILE, from build/bench
bench-compare: all
	@$(BUILD)/wrun scripts/bench/compare.lua $(A) $(B)

# What Sphinx reads, the guide with what its programs wrote and the reference, is in build/pages.
## the guide and the reference as pages, in build/docs
docs: $(BUILD)/docs/index.html
	@echo "$<"

$(BUILD)/docs/index.html: $(BUILD)/wrun .packages $(GUIDE) | build/packages-docs
	@rm -rf $(BUILD)/pages $(BUILD)/docs && mkdir -p $(BUILD)/pages/reference
	@cp -r scripts/docs/guide/. spec/examples $(BUILD)/pages
	@$(BUILD)/wrun scripts/docs/pages.lua $(BUILD)/pages/reference
	@$(BUILD)/wrun scripts/docs/examples.lua $$(find $(BUILD)/pages -name '*.md')
	@$(BUILD)/wrun scripts/docs/charts.lua $(BUILD)/pages
	@sphinx-build -q -W --keep-going -j auto -c scripts/docs -d $(BUILD)/doctrees \
	  $(BUILD)/pages $(BUILD)/docs
	@$(BUILD)/wrun scripts/docs/links.lua $(BUILD)/docs

## the types of the library for editors, in build/types (LuaCATS)
types: all
	@mkdir -p $(BUILD)/types
	@$(BUILD)/wrun scripts/docs/luacats.lua $(BUILD)/types/wrun.lua
	@echo "$(BUILD)/types/wrun.lua"

## train a network on MNIST; ARGS="--epochs 3" passes options
mnist: all build/packages-data
	$(BUILD)/wrun scripts/mnist_xavier.lua $(ARGS)

# What is installed, as it stands below PREFIX. Debian has folders of its own for two things.
TREE            ?= $(BUILD)/tree
LUA_MODULES     ?= lib/lua/5.4
ZSH_COMPLETIONS ?= share/zsh/site-functions

## what install copies, in build/tree
tree: all module $(BUILD)/docs/index.html
	@rm -rf $(TREE) && mkdir -p $(TREE)/share/man/man1 $(TREE)/share/bash-completion/completions \
	  $(TREE)/$(ZSH_COMPLETIONS) $(TREE)/share/doc/wrun $(TREE)/share/wrun
	@install -D -s $(BUILD)/wrun $(TREE)/bin/wrun
	@install -D -s -m 644 $(BUILD)/wrun.so $(TREE)/$(LUA_MODULES)/wrun.so
	@$(BUILD)/wrun scripts/package/manual.lua >$(TREE)/share/man/man1/wrun.1
	@$(BUILD)/wrun scripts/package/completion.lua bash \
	  >$(TREE)/share/bash-completion/completions/wrun
	@$(BUILD)/wrun scripts/package/completion.lua zsh >$(TREE)/$(ZSH_COMPLETIONS)/_wrun
	@cp -r $(BUILD)/docs $(TREE)/share/doc/wrun/html
	@install -m 644 README.md LICENSE $(TREE)/share/doc/wrun
	@install -D -t $(TREE)/share/wrun/scripts $(SCRIPTS)
	@chmod -R u=rwX,go=rX $(TREE)

## copy program, manual, pages, completions, scripts and module to PREFIX=/usr/local, under DESTDIR=
install: tree
	sh scripts/package/install.sh $(TREE) $(DESTDIR)$(PREFIX)

## remove what install has put there
uninstall:
	sh scripts/package/uninstall.sh $(DESTDIR)$(PREFIX)

## the same as a package of Debian, in build/
deb: build/packages-package
	@rm -rf $(BUILD)/deb
	@$(MAKE) --no-print-directory tree TREE=$(BUILD)/deb/usr \
	  LUA_MODULES=lib/$$(dpkg-architecture -qDEB_HOST_MULTIARCH)/lua/5.4 \
	  ZSH_COMPLETIONS=share/zsh/vendor-completions
	@file=$(BUILD)/wrun_$(VERSION)_$$(dpkg --print-architecture).deb; \
	MAINTAINER="$(MAINTAINER)" sh scripts/package/deb.sh $(BUILD)/deb $(VERSION) $$file && \
	lintian --allow-root --fail-on error,warning $$file && echo $$file

## the module as a rock of LuaRocks, in build/rock
rock: build/packages-build build/packages-package
	@sh scripts/package/rock.sh $(BUILD)/rock $(VERSION)
	@ls $(BUILD)/rock/*.rock

## remove build/
clean:
	rm -rf build
