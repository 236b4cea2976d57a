// SPDX-License-Identifier: GPL-2.0
/*
 * Knobs: module parameters that make boards slow, hung, lying or absent.
 *
 * Seen by users of real boards: a create that fails although there is room (github.com/intel/gvt-linux, issue 6;
 * github.com/DualCoder/vgpu_unlock, issue 54), an mdev without its group (gvt-linux, issue 74), a driver that removes the
 * mdev itself after the guest (Proxmox qemu-server, commits 49c51a60 and a672c578), EBUSY from a reset just after QEMU has
 * ended (PVE::QemuServer's Mdev.pm tries ten times), a vGPU without a display (github.com/kubevirt/kubevirt, issue 7245).
 */
#include <linux/delay.h>
#include <linux/moduleparam.h>

#include "fakegpu.h"

bool knob_take(struct card *card, enum knob knob)
{
	bool taken = card->knob[knob] > 0;

	lockdep_assert_held(&card->lock);
	if (taken)
		card->knob[knob]--;
	return taken;
}

void knob_stall(struct card *card, enum knob delay_ms, enum knob hang)
{
	msleep(READ_ONCE(card->knob[delay_ms]));
	while (READ_ONCE(card->knob[hang]))
		msleep(20);
}

void knob_stall_read(struct card *card)
{
	while (READ_ONCE(card->knob[READ_HANG]))
		msleep(20);
}

int knob_group_ms(const struct card *card)
{
	return READ_ONCE(card->knob[GROUP_MISSING]) ? GROUP_NEVER : READ_ONCE(card->knob[GROUP_LATE_MS]);
}

static int knob_set(const char *val, const struct kernel_param *kp)
{
	enum knob knob = (uintptr_t)kp->arg;
	char addr[ADDR_LEN] = "";
	struct card *only = NULL;
	size_t i;
	int v;

	if (sscanf(val, "%d %15s", &v, addr) < 1 || v < 0)
		return -EINVAL;
	if (*addr) {
		only = card_find(addr);
		if (!only)
			return -ENODEV;
	}
	for (i = 0; i < n_cards; i++)
		if (!only || only == &cards[i])
			WRITE_ONCE(cards[i].knob[knob], v);
	return 0;
}

static int knob_get(char *buf, const struct kernel_param *kp)
{
	enum knob knob = (uintptr_t)kp->arg;
	char addr[ADDR_LEN];
	int len = 0;
	size_t i;

	for (i = 0; i < n_cards; i++)
		len += sysfs_emit_at(buf, len, "%s %d\n", card_addr(&cards[i], addr), cards[i].knob[knob]);
	return len;
}

static const struct kernel_param_ops knob_ops = { .set = knob_set, .get = knob_get };

#define KNOB(name, id) module_param_cb(name, &knob_ops, (void *)(uintptr_t)(id), 0644)
KNOB(create_delay_ms, CREATE_DELAY_MS);
KNOB(create_fail_next, CREATE_FAIL_NEXT);
KNOB(create_hang, CREATE_HANG);
KNOB(lie_available, LIE_AVAILABLE);
KNOB(read_hang, READ_HANG);
KNOB(remove_delay_ms, REMOVE_DELAY_MS);
KNOB(remove_hang, REMOVE_HANG);
KNOB(self_remove, SELF_REMOVE);
KNOB(open_fail_next, OPEN_FAIL_NEXT);
KNOB(params_fail_next, PARAMS_FAIL_NEXT);
KNOB(reset_fail, RESET_FAIL);
KNOB(reset_fail_next, RESET_FAIL_NEXT);
KNOB(no_display, NO_DISPLAY);
KNOB(no_guest_driver, NO_GUEST_DRIVER);
KNOB(group_late_ms, GROUP_LATE_MS);
KNOB(group_missing, GROUP_MISSING);
KNOB(no_migration, NO_MIGRATION);
KNOB(migrate_mib, MIGRATE_MIB);
KNOB(save_delay_ms, SAVE_DELAY_MS);
KNOB(save_fail_next, SAVE_FAIL_NEXT);
KNOB(save_hang, SAVE_HANG);
KNOB(resume_fail_next, RESUME_FAIL_NEXT);

/* In the background: the writer would hold up every other knob while removal waits for an open vGPU. */
void hotplug_work(struct work_struct *work)
{
	struct card *card = container_of(work, struct card, hotplug);

	if (card->want_present && !card->bus)
		card_plug(card);
	else if (!card->want_present && card->bus)
		card_unplug(card);
}

static int hotplug_set(const char *val, const struct kernel_param *kp)
{
	char verb[4], addr[ADDR_LEN];
	struct card *card;

	if (sscanf(val, "%3s %15s", verb, addr) != 2)
		return -EINVAL;
	card = card_find(addr);
	if (!card)
		return -ENODEV;
	if (strcmp(verb, "add") && strcmp(verb, "del"))
		return -EINVAL;
	card->want_present = !strcmp(verb, "add");
	schedule_work(&card->hotplug);
	return 0;
}

static int hotplug_get(char *buf, const struct kernel_param *kp)
{
	char addr[ADDR_LEN];
	int len = 0;
	size_t i;

	for (i = 0; i < n_cards; i++)
		len += sysfs_emit_at(buf, len, "%s %s\n", card_addr(&cards[i], addr),
				     work_busy(&cards[i].hotplug) ? "busy" : cards[i].bus ? "present" : "absent");
	return len;
}

static const struct kernel_param_ops hotplug_ops = { .set = hotplug_set, .get = hotplug_get };
module_param_cb(hotplug, &hotplug_ops, NULL, 0644);

/* "CODE ADDRESS": what NVIDIA's driver would write into the kernel's log (docs.nvidia.com/deploy/xid-errors). */
static int xid_set(const char *val, const struct kernel_param *kp)
{
	char addr[ADDR_LEN];
	int code;

	if (sscanf(val, "%d %15s", &code, addr) != 2 || strlen(addr) < 3)
		return -EINVAL;
	if (!card_find(addr))
		return -ENODEV;
	/* it names no function */
	printk(KERN_ERR "NVRM: Xid (PCI:%.*s): %d, pid='<unknown>', name=<unknown>, it says so\n",
	       (int)strlen(addr) - 2, addr, code);
	return 0;
}

static const struct kernel_param_ops xid_ops = { .set = xid_set };
module_param_cb(xid, &xid_ops, NULL, 0200);
