/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The firmware, and all there is, of the domains that scenarios start: 64 KiB ROM instead of
 * SeaBIOS, because under two layers of emulation SeaBIOS takes a second of CPU and never rests. It
 * idles at 18 ticks a second and
 *   - powers off when the power button is pressed (virsh shutdown),
 *   - powers off by itself after the number of ticks at offset 0xfff8, if that is not 0,
 *   - releases PCI devices that the host wants to unplug (virsh detach-device --live).
 * Works on both pc and q35: writes to the chipset that is not there go nowhere.
 */
	.code16
	.set	PM, 0x600		/* where we put the ACPI PM registers */

	.macro	pci_write reg, val
	movl	$\reg, %eax
	movw	$0xcf8, %dx
	outl	%eax, %dx
	movl	$\val, %eax
	movw	$0xcfc, %dx
	outl	%eax, %dx
	.endm

	.macro	out8 port, val
	movb	$\val, %al
	outb	%al, $\port
	.endm

	.org	0
start:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$0x7000, %sp

	/* The PIC reaches the CPU through LINT0 of the local APIC, masked at reset and above 1 MiB. */
	lgdtl	%cs:gdtr
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	movw	$8, %bx
	movw	%bx, %es
	andb	$0xfe, %al
	movl	%eax, %cr0
	movl	$0xfee000f0, %edi
	movl	$0x1ff, %es:(%edi)	/* APIC on */
	movl	$0x700, %es:0x260(%edi)	/* LINT0: ExtINT */

	movw	$tick, 0x20		/* vector 8: timer */
	movw	$0xf000, 0x22
	out8	0x20, 0x11		/* PIC: vectors from 8, only the timer */
	out8	0x21, 0x08
	out8	0x21, 0x04
	out8	0x21, 0x01
	out8	0x21, 0xfe
	out8	0x43, 0x34		/* PIT channel 0: rate generator, 18.2 Hz */
	out8	0x40, 0
	out8	0x40, 0

	pci_write 0x80000b40, PM | 1	/* pc: PIIX4 PM, 00:01.3 */
	pci_write 0x80000b80, 1
	pci_write 0x8000f840, PM | 1	/* q35: ICH9 LPC, 00:1f.0 */
	pci_write 0x8000f844, 0x80
	movw	$PM + 2, %dx
	movw	$0x100, %ax		/* power button on */
	outw	%ax, %dx

	movw	%cs:ticks, %si
idle:
	sti
	hlt
	movw	$PM, %dx
	inw	%dx, %ax
	testw	$0x100, %ax
	jnz	off
	movw	$0xae00, %bx		/* ACPI PCI hotplug registers: pc, q35 */
	call	unplug
	movw	$0x0cc0, %bx
	call	unplug
	testw	%si, %si
	jz	idle
	decw	%si
	jnz	idle
off:
	movw	$PM + 4, %dx
	movw	$0x2000, %ax		/* SLP_EN, soft off */
	outw	%ax, %dx
1:	hlt
	jmp	1b

/* Ejects what the host has marked, on each of the first 16 buses of the registers at %bx. */
unplug:
	movl	$15, %ecx
1:	leaw	0x10(%bx), %dx		/* select bus */
	movl	%ecx, %eax
	outl	%eax, %dx
	leaw	4(%bx), %dx		/* down */
	inl	%dx, %eax
	cmpl	$-1, %eax		/* no such registers on this machine */
	je	2f
	testl	%eax, %eax
	jz	3f
	leaw	8(%bx), %dx		/* eject */
	outl	%eax, %dx
3:	decl	%ecx
	jns	1b
2:	ret

tick:
	pushw	%ax
	out8	0x20, 0x20
	popw	%ax
	iret

	.balign	8
gdt:	.quad	0, 0x00cf93000000ffff	/* flat data */
gdtr:	.word	. - gdt - 1
	.long	0xf0000 + gdt

	.org	0xfff0
	ljmpw	$0xf000, $start
	.org	0xfff8
ticks:
	.word	0
	.org	0xffff
	.byte	0
