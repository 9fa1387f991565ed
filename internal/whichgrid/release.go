package whichgrid

import (
	"cmp"
	"context"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
)

// newest is the answer to "flwr" that names no version.
const newest = "newest"

// otherRelease is the answer to "flwr" that leads to typing a version.
const otherRelease = "another"

// AskRelease asks which release of flwr is installed; "" is the newest.
func AskRelease(ctx context.Context, to front.Sink, version string) (string, error) {
	q := front.Question{ID: "flwr", Kind: front.AskChoice, Default: cmp.Or(version, newest), Ask: "Which release of flwr?",
		Help: "flwrup installs it into an environment of its own, and changes nothing of yours. It has to be a release that your grid speaks."}
	if version != "" {
		q.Choices = []front.Choice{{Value: version, Label: "flwr " + version, Note: "recommended: chosen for this project"}}
	}
	note := "what SuperGrid speaks"
	if version == "" {
		note = "recommended: " + note
	}
	q.Choices = append(q.Choices, front.Choice{Value: newest, Label: "the newest", Note: note})
	if version != guideRelease {
		q.Choices = append(q.Choices, front.Choice{Value: guideRelease, Label: "flwr " + guideRelease, Note: "the release of Flower's written guide; its SuperNodes cannot join a grid of 1.40 or later"})
	}
	q.Choices = append(q.Choices, front.Choice{Value: otherRelease, Label: "another release", Note: "ask whoever runs the grid which"})
	answer, err := to.Ask(ctx, q)
	if err == nil && answer == otherRelease {
		answer, err = to.Ask(ctx, front.Question{ID: "flwr-version", Kind: front.AskText, Default: flwr.Latest().Version.String(), Ask: "Which version?",
			Help: "Such as " + flwr.Latest().Version.String() + ".", Validate: func(text string) error {
				_, err := flwr.ParseVersion(text)
				return err
			}})
	}
	if answer == newest {
		answer = ""
	}
	return answer, err
}

// guideRelease is the release that Flower's registration guide was written for.
const guideRelease = "1.24.0"
