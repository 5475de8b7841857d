package logflux

// Refused says at which stage something was refused; the empty one is none.
type Refused string

func (r Refused) Error() string { return "refused at stage " + string(r) }

// need refuses where something is not so; catch makes an error of it at the package's border.
func need(so bool, stage Refused) {
	if !so {
		panic(stage)
	}
}

func catch(err *error) {
	switch stage := recover().(type) {
	case nil:
	case Refused:
		*err = stage
	default:
		panic(stage)
	}
}
