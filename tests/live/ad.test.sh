# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The AD bit of a validating resolver goes when an answer is replaced.

flags() { "in_$1" dig +noall +comments +adflag "@$RESOLVER4" "$2" A | sed -n 's/^;; flags: \([^;]*\);.*/\1/p'; }

is "the resolver sets AD" "qr rd ra ad" flags resolvers bad.secure
is "a replaced answer has no AD" "qr rd ra" flags clients bad.secure
is "an untouched answer keeps it" "qr rd ra ad" flags clients www.secure
is "the address, AD and TTL are all that changes" "A AD TTL" changes_of "$RESOLVER4" bad.secure A ad
is "with signatures asked for those of the answer go" length changes_of "$RESOLVER6" bad.secure A dnssec
is "those of others stay" nothing changes_of "$RESOLVER6" www.secure A dnssec
