/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking the engine, and telling what it did in dkms's words and exit codes. */
#include "cli/dkms-engine.h"

#include "cli/source.h"

int ks_dkms_run_engine(struct ks_dkms *dkms, const char *command,
		       const struct ks_plan_request *request, struct ks_outcome **outcome)
{
	struct ks_run run = {
		.command = command,
		.request = *request,
		.no_record = dkms->in_script,
		.no_depmod = dkms->options.no_depmod,
		.lock_timeout_ms = -1,
		.silent = true,
	};

	run.request.no_initramfs = dkms->in_script || !dkms->cli.settings->initramfs;
	return ks_run_engine(&dkms->cli, &run, outcome);
}

bool ks_dkms_leave_to_end(const char *what)
{
	if (!ks_run_is_in_transaction())
		return false;
	printf("%s: left to the end of the transaction\n", what);
	return true;
}

bool ks_dkms_is_installed(const struct ks_verdict *verdict)
{
	return verdict->state == KS_TARGET_INSTALLED ||
	       verdict->state == KS_TARGET_RECORDED;
}

static int tell_waiting(const struct ks_verdict *verdict)
{
	const struct ks_kernel *kernel = verdict->target->kernel;

	if (verdict->reason == KS_REASON_HEADERS_MISSING)
		return ks_dkms_die(
			KS_DKMS_HEADERS_MISSING,
			"Your kernel headers for kernel %s cannot be found at "
			"%s/build or %s/source.\n"
			"Please install the linux-headers-%s package or use the "
			"--kernelsourcedir option to tell DKMS where it's located.",
			kernel->release, kernel->modules_dir, kernel->modules_dir,
			kernel->release);
	return ks_dkms_die(
		verdict->reason == KS_REASON_DEPENDS_MISSING ? KS_DKMS_DEPENDS_MISSING
							     : KS_DKMS_INSTALL_FAILED,
		"%s",
		verdict->detail ? verdict->detail : ks_reason_words(verdict->reason));
}

static int tell_failed(const struct ks_dkms *dkms, const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	g_autofree char *log = ks_source_log_path(dkms->cli.system, target);
	bool verified = verdict->reason == KS_REASON_VERIFY_FAILED;

	ks_dkms_die(0, "Bad return status for module build on kernel: %s (%s)",
		    target->kernel->release, target->kernel->arch);
	if (log)
		fprintf(stderr, "Consult %s for more information.\n", log);
	return verified ? KS_DKMS_INSTALL_FAILED : KS_DKMS_BUILD_FAILED;
}

int ks_dkms_tell(const struct ks_dkms *dkms, bool install,
		 const struct ks_verdict *verdict)
{
	switch (verdict->state) {
	case KS_TARGET_INSTALLED:
	case KS_TARGET_RECORDED:
	case KS_TARGET_SATISFIED:
		return KS_DKMS_OK;
	case KS_TARGET_BUILT:
		return !install ? KS_DKMS_OK : KS_DKMS_INSTALL_FAILED;
	case KS_TARGET_FAILED:
		return tell_failed(dkms, verdict);
	case KS_TARGET_WAITING:
		return tell_waiting(verdict);
	case KS_TARGET_EXCLUDED:
		ks_dkms_warn("%s/%s on %s: %s%s%s", verdict->target->source->name,
			     verdict->target->source->version,
			     verdict->target->kernel->release,
			     ks_reason_words(verdict->reason),
			     verdict->detail ? ": " : "",
			     verdict->detail ? verdict->detail : "");
		return KS_DKMS_EXCLUDED;
	case KS_TARGET_BROKEN:
		return ks_dkms_die(KS_DKMS_BAD_CONF, "%s",
				   verdict->detail ? verdict->detail
						   : ks_reason_words(verdict->reason));
	case KS_TARGET_ADDED:
	case KS_TARGET_STALE:
		break;
	}
	return ks_dkms_die(KS_DKMS_INSTALL_FAILED, "%s",
			   ks_reason_words(verdict->reason));
}
