# Shaoying: the few commands that a newcomer, an engineer and the build machine
# need. Everything else is in bin/shaoying --help.
#
#   make run      the demo city on http://127.0.0.1:8080
#   make build    bin/shaoying
#   make check    formatting, vet and tests: Go and PostgreSQL only, offline; the second
#                 time only what changed since
#   make test     check with the race detector, and the browser
#   make lint     golangci-lint, gofumpt, govulncheck at pinned versions
#   make flows    the dialogues: dead ends, transcripts
#   make bench    the speed figures of this machine
#   make soak     the kill tests at full size, 400 days of home visits, the decoders of SMS fuzzed: about 45 minutes
#   make generate the query code in internal/postgres/db, after a change of SQL

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := run
.PHONY: run build check test lint flows bench soak generate clean

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

run:
	@scripts/need go postgres
	@$(MAKE) --no-print-directory build
	@exec bin/shaoying serve --demo

# -v names each package as it is compiled; without it the first minutes look
# dead. VCS stamping is off because a clone owned by another user would fail.
build:
	@scripts/need go
	@if [[ ! -x bin/shaoying ]]; then echo "building bin/shaoying; the first time takes a few minutes"; fi
	@go build -v -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/shaoying ./cmd/shaoying

check:
	@scripts/need go postgres
	@scripts/check

test:
	@scripts/test

lint:
	@scripts/need go
	@scripts/lint --all

flows: build
	@bin/shaoying flow check
	@bin/shaoying flow test

bench: build
	@scripts/need postgres
	@bin/shaoying bench

# 10,000 messages, 200 kills, 20 database crashes; the seed is printed, and
# SHAOYING_KILL_SEED repeats it.
soak:
	@scripts/need go postgres
	@SHAOYING_SOAK=1 go test -tags kill -count=1 -timeout 0 -v ./test/kill
	@SHAOYING_SOAK=1 go test -tags peers -count=1 -timeout 0 -run DatabaseAway ./test/peers/sms
	@SHAOYING_SOAK=1 go test -count=1 -run SixtyDays ./internal/care
	@scripts/fuzz 60s ./bots/sms/...

# sqlc has a module of its own (tools.mod): it needs a C compiler and two
# minutes at first, which nobody else should pay.
generate:
	@go tool -modfile=tools.mod sqlc generate -f internal/postgres/sqlc.yaml

clean:
	@rm -rf bin
