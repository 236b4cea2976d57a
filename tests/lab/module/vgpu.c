// SPDX-License-Identifier: GPL-2.0
/*
 * The vGPUs of a board: what fits where, and their parameters.
 *
 * That a GPU instance takes one frame-buffer size at a time, whatever the series, was measured on an RTX PRO 6000
 * Blackwell by github.com/bigstack-oss/cubecos (gpu_resource_set).
 *
 * Parameters are those of vgpu_params_store() and vgpu_params_show() in NVIDIA's nvidia-vgpu-vfio.c (the vGPU host
 * driver's package has its source): of n bytes it keeps n - 1, and says that it took n.
 */
#include <linux/slab.h>

#include "fakegpu.h"

unsigned int gi_users(const struct card *card, const struct gi *gi)
{
	const struct vgpu *vgpu;
	unsigned int n = 0;

	lockdep_assert_held(&card->lock);
	list_for_each_entry(vgpu, &card->vgpus, node)
		n += vgpu->gi == gi->id;
	return n;
}

static bool gi_fits(const struct card *card, const struct gi *gi, const struct profile *profile)
{
	const struct vgpu *vgpu;

	list_for_each_entry(vgpu, &card->vgpus, node)
		if (vgpu->gi == gi->id && vgpu->profile->fb_mib != profile->fb_mib)
			return false;
	return gi->profile == profile->gi_profile && gi_users(card, gi) < profile->max_per_gi;
}

/* The first GPU instance with room for another vGPU of this profile; NULL: there is none. */
static const struct gi *gi_find(const struct card *card, const struct profile *profile)
{
	size_t i;

	for (i = 0; i < card->n_gi; i++)
		if (gi_fits(card, &card->gi[i], profile))
			return &card->gi[i];
	return NULL;
}

static unsigned int card_available(const struct card *card, const struct profile *profile)
{
	unsigned int used = 0, same_profile = 0, fb_mib = 0;
	bool other_size = false;
	const struct vgpu *vgpu;

	list_for_each_entry(vgpu, &card->vgpus, node) {
		used++;
		fb_mib += vgpu->profile->fb_mib;
		same_profile += vgpu->profile == profile;
		other_size |= vgpu->profile->fb_mib != profile->fb_mib;
	}
	if (card->mixed || card->model->gvt)
		return min(profile->max_instance - same_profile, (card->model->fb_mib - fb_mib) / profile->fb_mib);
	return other_size || used >= profile->max_instance ? 0 : profile->max_instance - used;
}

unsigned int fn_available(const struct fn *fn, const struct profile *profile)
{
	const struct card *card = fn->card;
	const struct vgpu *vgpu;

	lockdep_assert_held(&card->lock);
	if (card->mig_mode != (profile->gi_profile != NO_GI))
		return 0;
	if (!fn->is_vf)
		return card_available(card, profile);
	list_for_each_entry(vgpu, &card->vgpus, node)
		if (vgpu->fn == fn)
			return 0;
	return card->mig_mode ? !!gi_find(card, profile) : !!card_available(card, profile);
}

struct vgpu *vgpu_take(struct fn *fn, const struct profile *profile, const char *uuid)
{
	struct card *card = fn->card;
	struct vgpu *vgpu = kzalloc(sizeof(*vgpu), GFP_KERNEL);
	bool fits;

	if (!vgpu)
		return ERR_PTR(-ENOMEM);
	vgpu->fn = fn;
	vgpu->profile = profile;
	strscpy(vgpu->uuid, uuid, sizeof(vgpu->uuid));

	mutex_lock(&card->lock);
	fits = !knob_take(card, CREATE_FAIL_NEXT) && !card->knob[LIE_AVAILABLE] && fn_available(fn, profile);
	if (fits) {
		vgpu->gi = card->mig_mode ? gi_find(card, profile)->id : NO_GI;
		list_add_tail(&vgpu->node, &card->vgpus);
	}
	mutex_unlock(&card->lock);
	if (fits)
		return vgpu;
	kfree(vgpu);
	return ERR_PTR(-EIO);
}

void vgpu_give_back(struct vgpu *vgpu)
{
	struct card *card = vgpu->fn->card;

	mutex_lock(&card->lock);
	list_del(&vgpu->node);
	mutex_unlock(&card->lock);
	kfree(vgpu);
}

ssize_t vgpu_params_get(const struct vgpu *vgpu, char *buf)
{
	return vgpu ? sysfs_emit(buf, "%s\n", vgpu->params) : -ENXIO;
}

ssize_t vgpu_params_set(struct vgpu *vgpu, const char *buf, size_t count)
{
	if (count > PARAMS_MAX)
		return -E2BIG;
	if (!vgpu)
		return -ENXIO;
	if (knob_take(vgpu->fn->card, PARAMS_FAIL_NEXT))
		return -EIO;
	if (vgpu->open)
		return -EPERM;
	return snprintf(vgpu->params, count, "%s", buf);
}
