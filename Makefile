# Every target first makes the environment it needs, once (requirements/env.py says how and prints one line).
IS_311  := -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null
PYTHON  ?= $(or $(shell for p in python3.11 python3; do $$p $(IS_311) && echo $$p && break; done),python3)
DEVICE  ?= auto
PROFILE ?= nano
ARCHIVE ?= full
MODEL   ?=
GPUS    ?=
MEASURE ?=
ARGS    ?=
TESTS   ?=

ENV = @$(PYTHON) requirements/env.py --device $(DEVICE)

.PHONY: help env figures smoke records test lab bench plan zoo archive audit lint

help:     ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

env:      ## make the environment and stop
	$(ENV)

figures:  ## execute the notebooks and draw the figures (PROFILE=nano)
	$(ENV) --doing "figures: executing the notebooks at profile $(PROFILE)" -- -m ttslib.execute notebooks --profile $(PROFILE) $(ARGS)

smoke:    ## the same, smallest profile
	$(ENV) --doing "smoke: executing the notebooks at profile smoke" -- -m ttslib.execute notebooks --profile smoke $(ARGS)

test:     ## run the tests, two at a time (TESTS="tests/test_x.py -k name" for some of them)
	$(ENV) --doing "test: running the tests" -- -m pytest -q $(or $(TESTS),-n 2 --dist worksteal) $(ARGS)

records:  ## compute what the store lacks, without notebooks (PROFILE=full)
	$(ENV) --doing "records: computing what profile $(PROFILE) lacks" -- -m ttslib.fill --profile $(PROFILE) $(ARGS)

lab:      ## open the notebooks in JupyterLab
	$(ENV) --doing "lab: starting JupyterLab" -- -m ttslib.lab --notebook-dir=. $(ARGS)

bench:    ## measure tokens per second, raw and in searches
	$(ENV) --doing "bench: measuring throughput" -- -m ttslib.bench $(ARGS)

plan:     ## what a profile takes before a run (PROFILE=paper GPUS=8xA100-80GB, or MEASURE=1)
	$(ENV) --doing "plan: profile $(PROFILE)" -- -m ttslib.plan --profile $(PROFILE) $(if $(GPUS),--gpus "$(GPUS)") $(if $(MEASURE),--measure) $(ARGS)

zoo:      ## train nano models again (MODEL=name for one)
	$(ENV) --doing "zoo: training $(or $(MODEL),every nano model)" -- -m ttslib.nano.zoo $(MODEL) $(ARGS)

archive:  ## add what results/ holds to archive/full (ARCHIVE=full)
	$(ENV) --doing "archive: profile $(ARCHIVE)" -- -m ttslib.archive write --profile $(ARCHIVE) $(ARGS)

audit:    ## recompute a random part of archive/full and compare (ARGS="--share 0.02 --seed 0 --cells 100")
	$(ENV) --doing "audit: recomputing a part of archive/$(ARCHIVE)" -- -m ttslib.audit --archive archive/$(ARCHIVE) $(ARGS)

lint:     ## check the style of the code
	$(ENV) --doing "lint: ruff" -- -m ruff check . $(ARGS)
