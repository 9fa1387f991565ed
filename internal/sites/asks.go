package sites

import (
	"context"
	"strings"

	"flwrup/internal/admission"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
)

// Later is the answer of a person who has no letter so far.
const Later = "later"

// AdmitAsked asks for the requests of other sites, and admits them one after the other; see Admit.
func AdmitAsked(ctx context.Context, s *site.Site, to front.Sink, again fleet.Again) error {
	text, err := askLetter(ctx, s, to, front.Question{ID: "request", Ask: "Which request do you want to admit?",
		Help: "A site makes it with flwrup request. Give the path of its file, or paste it as it came, with the mail around it."})
	if err != nil {
		return err
	}
	requests, err := admission.OpenRequests(text)
	if err != nil {
		return err
	}
	for _, r := range requests {
		if err := again(func() error { _, err := Admit(ctx, s, r, "", to); return err }); err != nil {
			return err
		}
	}
	return nil
}

// Exchange writes the request of a site. Where it was written before, it asks for the coordinator's reply, and takes it.
func Exchange(ctx context.Context, s *site.Site, to front.Sink) error {
	p := s.Look(ctx, site.Want{Parts: site.ReadKeys})
	_, sent := Pending(p)
	letter, err := Request(ctx, s)
	if err != nil {
		return err
	}
	to.Event(front.Letter{To: coordinator, File: letter.File, Words: letter.Words, Text: string(letter.Text)})
	if !sent {
		return nil
	}
	text, err := askLetter(ctx, s, to, front.Question{ID: "reply", Default: Later, Ask: "Which is the coordinator's reply?",
		Help: "Give the path of its file, or paste it as it came. Your request is in " + letter.File + ", and your words are: " + letter.Words + "."})
	if err != nil || text == nil {
		return err
	}
	return Join(ctx, s, text, "", to)
}

// askLetter asks for a letter and returns its text; nil for Later.
func askLetter(ctx context.Context, s *site.Site, to front.Sink, q front.Question) ([]byte, error) {
	q.Kind = front.AskLetter
	answer, err := to.Ask(ctx, q)
	switch {
	case err != nil:
		return nil, err
	case answer == Later && q.Default == Later:
		return nil, nil
	case admission.IsLetter(answer):
		return []byte(answer), nil
	}
	return ReadLetter(s.Path(strings.Trim(answer, `"'`))) // as a terminal quotes a file that is dropped on it
}

// PendingLetter returns the request of a site that waits for its reply, as it lies in its file; nil where there is none,
// or the file was changed.
func PendingLetter(p site.Snapshot) *front.Letter {
	if known, ok := Pending(p); ok {
		if text, err := readOwn(p, known); err == nil {
			return &front.Letter{To: coordinator, File: known.File, Words: known.Words, Text: string(text)}
		}
	}
	return nil
}

// coordinator is who gets a request.
const coordinator = "your coordinator"

// Become makes of the folder that of a site without an account, and asks what the site is called.
func Become(ctx context.Context, s *site.Site, to front.Sink) error {
	if s.Folder().Coordinated() {
		return nil
	}
	if site.WorkedBefore(s) {
		return problem.New(problem.BadInput, "cannot make a request here", "the SuperNodes of this folder are of your own account", "use a folder of its own: flwrup request --dir FOLDER")
	}
	c := s.Choices().Site
	name, err := to.Ask(ctx, front.Question{ID: "site", Kind: front.AskText, Ask: "What is your site called?",
		Help: "As the coordinator knows it, such as St. Mary's Hospital. Unattended: --site.", Validate: func(name string) error { return project.Check("site.name", name) }})
	if err != nil {
		return err
	}
	if c.Contact == "" {
		c.Contact, err = to.Ask(ctx, front.Question{ID: "contact", Kind: front.AskText, Default: noContact, Ask: "How does the coordinator reach you?",
			Help:     "A name with a telephone number or a mail address: the request says it, and the four words are compared by telephone. Unattended: --contact.",
			Validate: func(contact string) error { return project.Check("site.contact", contact) }})
		if err != nil {
			return err
		}
		if c.Contact == noContact {
			c.Contact = ""
		}
	}
	return s.Change(func(now *project.Choices) error { now.Site.Name, now.Site.Contact = name, c.Contact; return nil })
}

// noContact is the answer of a site that names nobody.
const noContact = "nobody in particular"
