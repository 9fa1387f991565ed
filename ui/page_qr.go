package ui

import (
	"fmt"

	"flwrup/ui/style"
)

// qrPage is the QR code alone, for terminals where it does not fit next to the rest.
type qrPage struct {
	text
}

func (p *qrPage) aside() bool { return false }

func (p *qrPage) draw(d *doc) {
	if p.m.desk.job == nil || p.m.desk.job.login == nil {
		d.line("The login is over.")
		return
	}
	if len(p.m.desk.job.qr) == 0 {
		d.line("There is no QR code of this link.")
		return
	}
	if len(p.m.desk.job.qr) > d.height || style.Width(p.m.desk.job.qr[0]) > d.width {
		d.para(p.m.s.Text, fmt.Sprintf("The QR code needs %d columns and %d rows.", style.Width(p.m.desk.job.qr[0])+2,
			len(p.m.desk.job.qr)+d.h-d.height), 0)
		return
	}
	d.lines = append(d.lines, p.m.desk.job.qr...)
}
