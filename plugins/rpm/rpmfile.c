/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See rpmfile.h. */
#include "plugins/rpm/rpmfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rpm/rpmarchive.h>
#include <rpm/rpmds.h>
#include <rpm/rpmfi.h>
#include <rpm/rpmfiles.h>
#include <rpm/rpmio.h>

#include "core/support/error.h"
#include "core/support/write-all.h"

#define LEVEL	    "9"
#define IO_MODE	    "w" LEVEL ".gzdio"
#define LEAD_BYTES  96
#define CHUNK_BYTES 65536

/* State of the writing; one function for each part. */
struct writing {
	struct ks_header *header;
	const struct ks_package *package;
	int fd;
	int payload_fd; /* compressed, in memory */
	guint64 archive_bytes;
	char *payload_sha256;
	Header h;
	Header signature;
};

static bool write_bytes(int fd, const void *data, size_t size_bytes, GError **error)
{
	if (ks_write_all(fd, data, size_bytes))
		return true;
	ks_error_set_errno(error, errno, "cannot write the package");
	return false;
}

static bool fail_why(const struct ks_why *why, GError **error)
{
	ks_error_set(error, KS_ERROR_FAILED, "%s", why->text);
	return false;
}

/* --- payload */

static const struct ks_package_file *find_file(const struct ks_package *package,
					       const char *dest)
{
	for (guint i = 0; i < package->files->len; i++) {
		const struct ks_package_file *file = g_ptr_array_index(package->files, i);

		if (strcmp(file->dest, dest) == 0)
			return file;
	}
	return NULL;
}

/* The content into the archive, and its digest on the way. */
static bool copy_content(rpmfi archive, const struct ks_package_file *file, int fd,
			 GError **error)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree guchar *buffer = g_malloc(CHUNK_BYTES);
	guint64 left = file->size_bytes;

	while (left) {
		ssize_t n = read(fd, buffer, MIN(left, CHUNK_BYTES));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		g_checksum_update(checksum, buffer, n);
		if (rpmfiArchiveWrite(archive, buffer, (size_t)n) != (size_t)n) {
			ks_error_set(error, KS_ERROR_FAILED,
				     "rpm cannot write the content of '%s'", file->dest);
			return false;
		}
		left -= (guint64)n;
	}
	if (!left && strcmp(g_checksum_get_string(checksum), file->sha256) == 0)
		return true;
	ks_error_set(error, KS_ERROR_INVALID, "'%s' is not the file that was described",
		     file->source);
	return false;
}

static bool add_content(const struct writing *writing, rpmfi archive, GError **error)
{
	const char *dest = rpmfiFN(archive);
	const struct ks_package_file *file = find_file(writing->package, dest);
	ks_autofd int fd = -1;

	if (!file) {
		ks_error_set(error, KS_ERROR_FAILED, "'%s' has no content", dest);
		return false;
	}
	fd = ks_package_open_content(file, error);
	return fd >= 0 && copy_content(archive, file, fd, error);
}

static bool fill_archive(struct writing *writing, FD_t to, GError **error)
{
	rpmfiles files = rpmfilesNew(NULL, writing->h, RPMTAG_BASENAMES, 0);
	rpmfi archive = rpmfiNewArchiveWriter(to, files);
	int status = 0;
	bool ok = archive != NULL;

	while (ok && (status = rpmfiNext(archive)) >= 0)
		if (S_ISREG(rpmfiFMode(archive)))
			ok = add_content(writing, archive, error);
	if (ok && status != RPMERR_ITER_END) {
		ks_error_set(error, KS_ERROR_FAILED, "rpm cannot write the payload");
		ok = false;
	}
	if (archive && rpmfiArchiveClose(archive) != 0 && ok) {
		ks_error_set(error, KS_ERROR_FAILED, "rpm cannot end the payload");
		ok = false;
	}
	if (archive)
		writing->archive_bytes = rpmfiArchiveTell(archive);
	rpmfiFree(archive);
	rpmfilesFree(files);
	return ok;
}

static bool make_payload(struct writing *writing, GError **error)
{
	FD_t plain, to;
	struct ks_why why;
	bool ok;

	writing->h = ks_header_build_for_file(writing->header, LEVEL, NULL, &why);
	if (!writing->h)
		return fail_why(&why, error);
	writing->payload_fd = memfd_create("payload", MFD_CLOEXEC);
	plain = writing->payload_fd < 0 ? NULL : fdDup(writing->payload_fd);
	to = plain ? Fdopen(plain, IO_MODE) : NULL;
	if (!to) {
		ks_error_set_errno(error, errno, "cannot make room for the payload");
		return false;
	}
	ok = fill_archive(writing, to, error);
	if (Fclose(to) != 0 && ok) {
		ks_error_set(error, KS_ERROR_FAILED, "rpm cannot compress the payload");
		return false;
	}
	return ok;
}

/* --- digests */

/* Feed the payload to func, from its start. */
static bool read_payload(const struct writing *writing,
			 bool (*func)(void *data, const guchar *bytes, size_t n,
				      GError **error),
			 void *data, GError **error)
{
	g_autofree guchar *buffer = g_malloc(CHUNK_BYTES);
	off_t at = 0;
	ssize_t n;

	while ((n = pread(writing->payload_fd, buffer, CHUNK_BYTES, at)) > 0) {
		if (!func(data, buffer, (size_t)n, error))
			return false;
		at += n;
	}
	if (n < 0)
		ks_error_set_errno(error, errno, "cannot read the payload");
	return n == 0;
}

static bool feed(void *data, const guchar *bytes, size_t n, GError **error)
{
	g_checksum_update(data, bytes, (gssize)n);
	return true;
}

static bool copy_out(void *data, const guchar *bytes, size_t n, GError **error)
{
	return write_bytes(*(int *)data, bytes, n, error);
}

static bool digest_payload(struct writing *writing, GError **error)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

	if (!read_payload(writing, feed, checksum, error))
		return false;
	writing->payload_sha256 = g_strdup(g_checksum_get_string(checksum));
	return true;
}

static bool finish_header(struct writing *writing, GError **error)
{
	struct ks_why why;

	headerFree(writing->h);
	writing->h = ks_header_build_for_file(writing->header, LEVEL,
					      writing->payload_sha256, &why);
	return writing->h || fail_why(&why, error);
}

/* --- the signature header: sizes and digests; a signature is rpmsign's to add */

/*
 * With their type: some numbers of tags here mean other things, of other types, in
 * a package's header, by which rpm's simpler calls go.
 */
static bool put_typed(Header h, rpmTagVal tag, rpmTagType type, void *data, size_t n)
{
	struct rpmtd_s value;

	rpmtdReset(&value);
	value.tag = tag;
	value.type = type;
	value.data = data;
	value.count = (rpm_count_t)n;
	return headerPut(h, &value, HEADERPUT_DEFAULT) != 0;
}

static bool put_md5(struct writing *writing, const void *blob, size_t blob_bytes,
		    GError **error)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_MD5);
	guint8 md5[16];
	gsize md5_bytes = sizeof(md5);

	g_checksum_update(checksum, ks_header_magic, KS_HEADER_MAGIC_BYTES);
	g_checksum_update(checksum, blob, (gssize)blob_bytes);
	if (!read_payload(writing, feed, checksum, error))
		return false;
	g_checksum_get_digest(checksum, md5, &md5_bytes);
	return put_typed(writing->signature, RPMSIGTAG_MD5, RPM_BIN_TYPE, md5,
			 sizeof(md5));
}

static bool make_signature(struct writing *writing, const void *blob, size_t blob_bytes,
			   GError **error)
{
	off_t payload_bytes = lseek(writing->payload_fd, 0, SEEK_END);
	guint64 total = KS_HEADER_MAGIC_BYTES + blob_bytes + (guint64)payload_bytes;
	guint32 size = (guint32)total, archive_size = (guint32)writing->archive_bytes;
	char *sha1 = ks_header_digest(writing->h, KS_HASH_SHA1);
	char *sha256 = ks_header_digest(writing->h, KS_HASH_SHA256);
	bool ok;

	if (total > G_MAXUINT32 || writing->archive_bytes > G_MAXUINT32) {
		free(sha1);
		free(sha256);
		ks_error_set(error, KS_ERROR_INVALID, "the package is too large");
		return false;
	}
	writing->signature = headerNew();
	ok = sha1 && sha256 &&
	     put_typed(writing->signature, RPMSIGTAG_SIZE, RPM_INT32_TYPE, &size, 1) &&
	     put_typed(writing->signature, RPMSIGTAG_PAYLOADSIZE, RPM_INT32_TYPE,
		       &archive_size, 1) &&
	     headerPutString(writing->signature, RPMSIGTAG_SHA1, sha1) &&
	     headerPutString(writing->signature, RPMSIGTAG_SHA256, sha256) &&
	     put_md5(writing, blob, blob_bytes, error);
	if (ok)
		writing->signature =
			headerReload(writing->signature, RPMTAG_HEADERSIGNATURES);
	free(sha1);
	free(sha256);
	if (ok && writing->signature)
		return true;
	if (error && !*error)
		ks_error_set(error, KS_ERROR_FAILED, "rpm cannot make the digests");
	return false;
}

/* --- the file */

/* The bytes that file(1) looks at; rpm checks only the magic and the major version. */
static bool write_lead(const struct writing *writing, GError **error)
{
	guint8 lead[LEAD_BYTES] = {0xed, 0xab, 0xee, 0xdb, 3};
	g_autofree char *name =
		g_strdup_printf("%s-%s-%s", writing->header->name,
				writing->header->version, writing->header->release);

	lead[9] = 1; /* architecture: some */
	memcpy(lead + 10, name, MIN(strlen(name), 65));
	lead[77] = 1; /* system: Linux */
	lead[79] = 5; /* signature: in a header */
	return write_bytes(writing->fd, lead, sizeof(lead), error);
}

static bool write_header(const struct writing *writing, Header h, bool pad,
			 GError **error)
{
	static const guint8 zeros[8];
	unsigned int size_bytes = 0;
	void *blob = headerExport(h, &size_bytes);
	size_t rest = (8 - (KS_HEADER_MAGIC_BYTES + size_bytes) % 8) % 8;
	bool ok =
		blob &&
		write_bytes(writing->fd, ks_header_magic, KS_HEADER_MAGIC_BYTES, error) &&
		write_bytes(writing->fd, blob, size_bytes, error) &&
		(!pad || write_bytes(writing->fd, zeros, rest, error));

	free(blob);
	return ok;
}

static bool write_parts(struct writing *writing, GError **error)
{
	unsigned int size_bytes = 0;
	void *blob = headerExport(writing->h, &size_bytes);
	bool ok = blob && make_signature(writing, blob, size_bytes, error);

	free(blob);
	return ok && write_lead(writing, error) &&
	       write_header(writing, writing->signature, true, error) &&
	       write_header(writing, writing->h, false, error) &&
	       read_payload(writing, copy_out, &writing->fd, error);
}

bool ks_rpmfile_write(struct ks_header *header, const struct ks_package *package, int fd,
		      GError **error)
{
	struct writing writing = {
		.header = header, .package = package, .fd = fd, .payload_fd = -1};
	bool ok = make_payload(&writing, error) && digest_payload(&writing, error) &&
		  finish_header(&writing, error) && write_parts(&writing, error);

	headerFree(writing.h);
	headerFree(writing.signature);
	g_free(writing.payload_sha256);
	if (writing.payload_fd >= 0)
		close(writing.payload_fd);
	return ok;
}
