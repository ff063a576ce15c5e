package privacy

// What the first version made of a master of 32 × 0x01.
const (
	wantFingerprint = "fc5ea1a23006f45d"
	wantIndex       = "5bed361a74589cfd"
	wantToken       = "AQAAA-hhYmOdt2YiehycWTHyu9oaurVl"
	wantSealed      = "01df692b52a70133310b5c319760992250c2838fa6db453c7a2cc28cfd8d86b2dca79028515ed8"
)
