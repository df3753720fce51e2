/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See aptshim.h. No exception leaves this file. */
#include "plugins/apt/aptshim.h"

#include <apt-pkg/algorithms.h>
#include <apt-pkg/cachefile.h>
#include <apt-pkg/configuration.h>
#include <apt-pkg/depcache.h>
#include <apt-pkg/error.h>
#include <apt-pkg/fileutl.h>
#include <apt-pkg/hashes.h>
#include <apt-pkg/init.h>
#include <apt-pkg/pkgcache.h>
#include <apt-pkg/pkgrecords.h>
#include <apt-pkg/pkgsystem.h>
#include <apt-pkg/policy.h>
#include <apt-pkg/progress.h>
#include <apt-pkg/strutl.h>
#include <apt-pkg/upgrade.h>

#include <cstring>
#include <exception>
#include <memory>
#include <string>

struct ks_apt {
	pkgCacheFile file;
};

static char *take_message(const char *what)
{
	std::string text = what;
	std::string one;

	while (!_error->empty()) {
		_error->PopMessage(one);
		text += ": " + one;
	}
	return strdup(text.c_str());
}

/*
 * Everything in memory, from the installed state alone: nothing to download,
 * nothing cached. apt takes an empty cache file name for "no cache" only while
 * no RootDir stands before it; so the root is said by the directories themselves.
 */
static void leave_lists_out(const std::string &root)
{
	if (!root.empty()) {
		_config->Clear("RootDir");
		_config->Set("Dir", root + "/");
		_config->Set("Dir::State::status", root + "/var/lib/dpkg/status");
	}
	_config->Set("Dir::Etc::sourcelist", "/dev/null");
	_config->Set("Dir::Etc::sourceparts", "/dev/null");
	_config->Set("Dir::State::lists", "/nonexistent/");
	_config->Set("Dir::Cache::pkgcache", "");
	_config->Set("Dir::Cache::srcpkgcache", "");
}

static bool configure(const char *root, enum ks_apt_mode mode)
{
	if (*root)
		_config->Set("RootDir", root);
	if (!pkgInitConfig(*_config))
		return false;
	if (mode == KS_APT_STATUS_ONLY)
		leave_lists_out(root);
	return pkgInitSystem(*_config, _system);
}

static struct ks_apt *open_cache(const char *root, enum ks_apt_mode mode, char **message)
{
	auto apt = std::make_unique<ks_apt>();
	OpProgress silent;

	if (!configure(root, mode)) {
		*message = take_message("cannot read apt's configuration");
		return nullptr;
	}
	if (!apt->file.BuildCaches(&silent, false) || !apt->file.BuildPolicy(&silent) ||
	    !apt->file.BuildDepCache(&silent)) {
		*message = take_message("cannot open apt's cache");
		return nullptr;
	}
	/* warnings, such as of a list that is not there, are not ours to show */
	_error->Discard();
	return apt.release();
}

/* As pkgAcqArchive calls it (apt 2.6). */
static std::string archive_name(const pkgCache::VerIterator &version,
				const std::string &extension)
{
	return QuoteString(version.ParentPkg().Name(), "_:") + "_" +
	       QuoteString(version.VerStr(), "_:") + "_" +
	       QuoteString(version.Arch(), "_:.") + "." + extension;
}

/* A file of that name may be of another archive: the digest decides. */
static std::string find_archive(pkgRecords &records, const pkgCache::VerIterator &version)
{
	const std::string dir = _config->FindDir("Dir::Cache::Archives");

	for (auto file = version.FileList(); !file.end(); ++file) {
		if (file.File().Flagged(pkgCache::Flag::NotSource))
			continue;
		pkgRecords::Parser &parser = records.Lookup(file);
		/* a string in apt 2, a view of one in apt 3 */
		const std::string name = parser.FileName();
		const std::string extension(flExtension(name));
		const std::string path = dir + archive_name(version, extension);
		const HashStringList hashes = parser.Hashes();

		if (FileExists(path) && hashes.usable() && hashes.VerifyFile(path))
			return path;
	}
	return "";
}

static void report_upgrade(struct ks_apt *apt, bool (*wants)(const char *name),
			   void (*found)(const struct ks_apt_package *package,
					 void *data),
			   void *data)
{
	pkgDepCache &cache = *apt->file.GetDepCache();
	pkgRecords records(*apt->file.GetPkgCache());

	for (auto pkg = cache.PkgBegin(); !pkg.end(); ++pkg) {
		if (!cache[pkg].Install() || !wants(pkg.Name()))
			continue;
		const pkgCache::VerIterator version = cache[pkg].InstVerIter(cache);
		const std::string file = find_archive(records, version);
		const struct ks_apt_package package = {pkg.Name(), version.VerStr(),
						       file.empty() ? nullptr
								    : file.c_str()};

		found(&package, data);
	}
}

extern "C" {

struct ks_apt *ks_apt_open(const char *root, enum ks_apt_mode mode, char **message)
{
	try {
		return open_cache(root, mode, message);
	} catch (const std::exception &e) {
		*message = strdup(e.what());
	} catch (...) {
		*message = strdup("libapt-pkg failed");
	}
	return nullptr;
}

void ks_apt_close(struct ks_apt *apt)
{
	delete apt;
}

bool ks_apt_query(struct ks_apt *apt, const char *package, struct ks_apt_state *state)
{
	try {
		pkgCache::PkgIterator pkg = apt->file.GetPkgCache()->FindPkg(package);

		if (pkg.end())
			return false;

		pkgDepCache &cache = *apt->file.GetDepCache();

		state->installed = pkg->CurrentVer != 0;
		state->has_candidate = !apt->file.GetPolicy()->GetCandidateVer(pkg).end();
		state->is_auto = (cache[pkg].Flags & pkgCache::Flag::Auto) != 0;
		state->is_garbage = cache[pkg].Garbage;
		return true;
	} catch (...) {
		return false;
	}
}

void ks_apt_dependents(struct ks_apt *apt, const char *package,
		       bool (*found)(const char *name, void *data), void *data)
{
	try {
		pkgCache::PkgIterator pkg = apt->file.GetPkgCache()->FindPkg(package);

		if (pkg.end())
			return;
		for (pkgCache::DepIterator dep = pkg.RevDependsList(); !dep.end();
		     ++dep) {
			pkgCache::PkgIterator parent = dep.ParentPkg();
			pkgCache::VerIterator candidate =
				apt->file.GetPolicy()->GetCandidateVer(parent);

			if (dep->Type == pkgCache::Dep::Depends && !candidate.end() &&
			    candidate == dep.ParentVer() && !found(parent.Name(), data))
				return;
		}
	} catch (...) {
		/* a hint that cannot be given */
	}
}

bool ks_apt_upgrade(struct ks_apt *apt, bool (*wants)(const char *name),
		    void (*found)(const struct ks_apt_package *package, void *data),
		    void *data, char **message)
{
	try {
		if (APT::Upgrade::Upgrade(*apt->file.GetDepCache(),
					  APT::Upgrade::ALLOW_EVERYTHING)) {
			report_upgrade(apt, wants, found, data);
			return true;
		}
		*message = take_message("apt finds no upgrade");
	} catch (const std::exception &e) {
		*message = strdup(e.what());
	} catch (...) {
		*message = strdup("libapt-pkg failed");
	}
	return false;
}

bool ks_apt_mark(struct ks_apt *apt, const char *package, bool automatic)
{
	try {
		pkgCache::PkgIterator pkg = apt->file.GetPkgCache()->FindPkg(package);

		if (pkg.end())
			return false;
		/* the group's end makes libapt sweep for garbage again */
		pkgDepCache::ActionGroup group(*apt->file.GetDepCache());
		apt->file.GetDepCache()->MarkAuto(pkg, automatic);
		return true;
	} catch (...) {
		return false;
	}
}

bool ks_apt_store(struct ks_apt *apt, char **message)
{
	try {
		if (apt->file.GetDepCache()->writeStateFile(nullptr, true))
			return true;
		*message = take_message("cannot write apt's extended_states");
	} catch (const std::exception &e) {
		*message = strdup(e.what());
	} catch (...) {
		*message = strdup("libapt-pkg failed");
	}
	return false;
}
}
