/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions and headers whose names changed between rpm 4.14 and 6.1.
 * Everything else that is used here is public in all of them.
 */
#pragma once

#include <rpm/header.h>
#include <rpm/rpmdb.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmpgp.h>
#include <rpm/rpmtag.h>
#include <rpm/rpmts.h>
#if __has_include(<rpm/rpmcrypto.h>)
#include <rpm/rpmcrypto.h>
#endif

/* PGPHASHALGO_* became RPM_HASH_* in 6.0; the numbers are those of OpenPGP. */
enum { KS_HASH_MD5 = 1, KS_HASH_SHA1 = 2, KS_HASH_SHA256 = 8 };

/* RPMTAG_PAYLOADDIGEST and ...ALGO, called RPMTAG_PAYLOADSHA256* from 6.0 on */
enum { KS_TAG_PAYLOADDIGEST = 5092, KS_TAG_PAYLOADDIGESTALGO = 5093 };
