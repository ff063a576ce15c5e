package people

const (
	MaySupervise StaffCommand = "ticket.supervise"
	MayEscalate  StaffCommand = "ticket.escalate"
	MayReview    StaffCommand = "ticket.review"
)
