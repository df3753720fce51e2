/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * liblzma, libzstd and zlib behind one shape: a codec reads its input window
 * and fills its output window; the pump moves the windows.
 */
#include "core/module/compress.h"

#include <errno.h>
#include <lzma.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "core/support/error.h"
#include "core/support/write-all.h"

#define WINDOW_BYTES	  (128 * 1024)
#define XZ_DICT_BYTES	  (1 << 20)
#define XZ_MEMLIMIT_BYTES (256ULL << 20)

enum step { STEP_MORE, STEP_DONE, STEP_BAD };

struct codec {
	const unsigned char *in;
	size_t in_left;
	bool in_ended;
	unsigned char *out;
	size_t out_left;
	enum step (*step)(struct codec *codec);
	lzma_stream lzma;
	z_stream z;
	ZSTD_CStream *zc;
	ZSTD_DStream *zd;
};

static bool read_some(int fd, unsigned char *buffer, size_t *n, GError **error)
{
	ssize_t got;

	do
		got = read(fd, buffer, WINDOW_BYTES);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		ks_error_set_errno(error, errno, "cannot read the module file");
		return false;
	}
	*n = (size_t)got;
	return true;
}

static bool pump(struct codec *codec, int in_fd, int out_fd, guint64 max_bytes,
		 GError **error)
{
	g_autofree unsigned char *in = g_malloc(WINDOW_BYTES);
	g_autofree unsigned char *out = g_malloc(WINDOW_BYTES);
	enum step step = STEP_MORE;
	guint64 total = 0;

	while (step == STEP_MORE) {
		size_t filled;

		if (codec->in_left == 0 && !codec->in_ended) {
			if (!read_some(in_fd, in, &codec->in_left, error))
				return false;
			codec->in = in;
			codec->in_ended = codec->in_left == 0;
		}
		codec->out = out;
		codec->out_left = WINDOW_BYTES;
		step = codec->step(codec);
		filled = WINDOW_BYTES - codec->out_left;
		/* at the end of the input every codec must come to its own end */
		if (step == STEP_MORE && codec->in_ended && filled == 0)
			step = STEP_BAD;
		total += filled;
		if (max_bytes && total > max_bytes) {
			ks_error_set(error, KS_ERROR_INVALID,
				     "more than %" G_GUINT64_FORMAT " bytes uncompressed",
				     max_bytes);
			return false;
		}
		if (!ks_write_all(out_fd, out, filled)) {
			ks_error_set_errno(error, errno, "cannot write the module file");
			return false;
		}
	}
	if (step == STEP_BAD)
		ks_error_set(error, KS_ERROR_INVALID, "damaged compressed data");
	return step == STEP_DONE;
}

static enum step lzma_step(struct codec *codec)
{
	lzma_ret ret;

	codec->lzma.next_in = codec->in;
	codec->lzma.avail_in = codec->in_left;
	codec->lzma.next_out = codec->out;
	codec->lzma.avail_out = codec->out_left;
	ret = lzma_code(&codec->lzma, codec->in_ended ? LZMA_FINISH : LZMA_RUN);
	codec->in = codec->lzma.next_in;
	codec->in_left = codec->lzma.avail_in;
	codec->out_left = codec->lzma.avail_out;
	return ret == LZMA_STREAM_END ? STEP_DONE : ret == LZMA_OK ? STEP_MORE : STEP_BAD;
}

static void z_load(struct codec *codec)
{
	codec->z.next_in = (Bytef *)(gsize)codec->in;
	codec->z.avail_in = (uInt)codec->in_left;
	codec->z.next_out = codec->out;
	codec->z.avail_out = (uInt)codec->out_left;
}

static enum step z_store(struct codec *codec, int ret)
{
	codec->in = codec->z.next_in;
	codec->in_left = codec->z.avail_in;
	codec->out_left = codec->z.avail_out;
	return ret == Z_STREAM_END		   ? STEP_DONE
	       : ret == Z_OK || ret == Z_BUF_ERROR ? STEP_MORE
						   : STEP_BAD;
}

static enum step deflate_step(struct codec *codec)
{
	z_load(codec);
	return z_store(codec,
		       deflate(&codec->z, codec->in_ended ? Z_FINISH : Z_NO_FLUSH));
}

static enum step inflate_step(struct codec *codec)
{
	z_load(codec);
	return z_store(codec, inflate(&codec->z, Z_NO_FLUSH));
}

static enum step zstd_compress_step(struct codec *codec)
{
	ZSTD_inBuffer in = {codec->in, codec->in_left, 0};
	ZSTD_outBuffer out = {codec->out, codec->out_left, 0};
	size_t ret = ZSTD_compressStream2(codec->zc, &out, &in,
					  codec->in_ended ? ZSTD_e_end : ZSTD_e_continue);

	codec->in += in.pos;
	codec->in_left -= in.pos;
	codec->out_left -= out.pos;
	if (ZSTD_isError(ret))
		return STEP_BAD;
	return codec->in_ended && ret == 0 ? STEP_DONE : STEP_MORE;
}

static enum step zstd_decompress_step(struct codec *codec)
{
	ZSTD_inBuffer in = {codec->in, codec->in_left, 0};
	ZSTD_outBuffer out = {codec->out, codec->out_left, 0};
	size_t ret = ZSTD_decompressStream(codec->zd, &out, &in);

	codec->in += in.pos;
	codec->in_left -= in.pos;
	codec->out_left -= out.pos;
	return ZSTD_isError(ret) ? STEP_BAD : ret == 0 ? STEP_DONE : STEP_MORE;
}

static bool init_encoder(struct codec *codec, const char *suffix, unsigned int level,
			 guint64 size_bytes)
{
	if (!strcmp(suffix, ".xz")) {
		lzma_options_lzma options;
		lzma_filter filters[] = {
			{LZMA_FILTER_LZMA2, &options},
			{LZMA_VLI_UNKNOWN, NULL},
		};

		codec->step = lzma_step;
		if (lzma_lzma_preset(&options,
				     level ? MIN(level, 9) : LZMA_PRESET_DEFAULT))
			return false;
		options.dict_size = XZ_DICT_BYTES;
		return lzma_stream_encoder(&codec->lzma, filters, LZMA_CHECK_CRC32) ==
		       LZMA_OK;
	}
	if (!strcmp(suffix, ".gz")) {
		codec->step = deflate_step;
		/* 16: a gzip header, which zlib leaves without name and time */
		return deflateInit2(&codec->z,
				    level ? (int)MIN(level, 9) : Z_BEST_COMPRESSION,
				    Z_DEFLATED, MAX_WBITS + 16, MAX_MEM_LEVEL,
				    Z_DEFAULT_STRATEGY) == Z_OK;
	}
	if (!strcmp(suffix, ".zst")) {
		codec->step = zstd_compress_step;
		codec->zc = ZSTD_createCStream();
		/* as zstd(1): a checksum, and the size in the header */
		return codec->zc &&
		       !ZSTD_isError(ZSTD_CCtx_setParameter(codec->zc,
							    ZSTD_c_checksumFlag, 1)) &&
		       /* 0 is its default to the library as well */
		       !ZSTD_isError(ZSTD_CCtx_setParameter(
			       codec->zc, ZSTD_c_compressionLevel,
			       MIN((int)level, ZSTD_maxCLevel()))) &&
		       !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(codec->zc, size_bytes));
	}
	return false;
}

static bool init_decoder(struct codec *codec, const char *suffix)
{
	if (!strcmp(suffix, ".xz")) {
		codec->step = lzma_step;
		return lzma_stream_decoder(&codec->lzma, XZ_MEMLIMIT_BYTES, 0) == LZMA_OK;
	}
	if (!strcmp(suffix, ".gz")) {
		codec->step = inflate_step;
		return inflateInit2(&codec->z, MAX_WBITS + 16) == Z_OK;
	}
	if (!strcmp(suffix, ".zst")) {
		codec->step = zstd_decompress_step;
		codec->zd = ZSTD_createDStream();
		return codec->zd != NULL;
	}
	return false;
}

static void codec_clear(struct codec *codec)
{
	lzma_end(&codec->lzma);
	if (codec->step == deflate_step)
		deflateEnd(&codec->z);
	if (codec->step == inflate_step)
		inflateEnd(&codec->z);
	ZSTD_freeCStream(codec->zc);
	ZSTD_freeDStream(codec->zd);
}

bool ks_compress(int in_fd, int out_fd, const char *suffix, unsigned int level,
		 GError **error)
{
	struct codec codec = {.lzma = LZMA_STREAM_INIT};
	bool ok = false;
	struct stat st;

	if (fstat(in_fd, &st) < 0)
		ks_error_set_errno(error, errno, "cannot look at the module file");
	else if (!init_encoder(&codec, suffix, level, (guint64)st.st_size))
		ks_error_set(error, KS_ERROR_FAILED, "cannot compress to '%s'", suffix);
	else
		ok = pump(&codec, in_fd, out_fd, 0, error);
	codec_clear(&codec);
	return ok;
}

const char *ks_compress_sniff(const unsigned char *head, size_t size_bytes)
{
	static const struct {
		const char *suffix;
		unsigned char magic[6];
		size_t n;
	} formats[] = {
		{".xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6},
		{".zst", {0x28, 0xb5, 0x2f, 0xfd}, 4},
		{".gz", {0x1f, 0x8b}, 2},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		if (size_bytes >= formats[i].n &&
		    !memcmp(head, formats[i].magic, formats[i].n))
			return formats[i].suffix;
	return NULL;
}

bool ks_decompress(int in_fd, int out_fd, const char *suffix, guint64 max_bytes,
		   GError **error)
{
	struct codec codec = {.lzma = LZMA_STREAM_INIT};
	bool ok = false;

	if (!init_decoder(&codec, suffix))
		ks_error_set(error, KS_ERROR_FAILED, "cannot read '%s' files", suffix);
	else
		ok = pump(&codec, in_fd, out_fd, max_bytes, error);
	codec_clear(&codec);
	return ok;
}
