package setup

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"flwrup/flwrexec"
	"flwrup/internal/admission"
	"flwrup/internal/cli/program"
	"flwrup/internal/front"
	"flwrup/internal/invites"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sites"
	"flwrup/steps"
)

// Sites are the ways of a federation of several institutions: request and join at a site, admit and invite at
// the coordinator.
func Sites(p *program.Program) []*cobra.Command {
	return []*cobra.Command{requestCommand(p), admitCommand(p), inviteCommand(p), joinCommand(p)}
}

func requestCommand(p *program.Program) *cobra.Command {
	var choices project.Choices
	cmd := &cobra.Command{
		Use:   "request",
		Short: "Ask the coordinator of a federation to admit SuperNodes of this site",
		Long: `For a site without a Flower account. Makes the key pairs here, and a request with the public keys
for the coordinator of the federation. Send it by mail or chat: it holds nothing secret, and the
private keys stay in this folder. It needs neither flwr, nor Docker, nor a network.

Then read your four words to the coordinator by telephone, and take the reply with flwrup join.`,
		Args: program.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("nodes") && choices.Nodes == 0 {
				return program.BadValue(cmd, "nodes", "0", "a site needs at least one SuperNode")
			}
			return doRequest(cmd.Context(), p, site.Options{Dir: p.FindDir(), Create: true, Attended: p.Attended() && !p.JSON, Choose: func(c *project.Choices) {
				for flag, set := range map[string]func(){
					"nodes":   func() { c.Nodes = choices.Nodes },
					"site":    func() { c.Site.Name = choices.Site.Name },
					"contact": func() { c.Site.Contact = choices.Site.Contact },
				} {
					if cmd.Flags().Changed(flag) {
						set()
					}
				}
			}})
		},
	}
	f := cmd.Flags()
	f.IntVar(&choices.Nodes, "nodes", 0, "`number` of SuperNodes")
	f.StringVar(&choices.Site.Name, "site", "", "`name` of this site, as the coordinator knows it")
	f.StringVar(&choices.Site.Contact, "contact", "", "`whom` the coordinator calls")
	p.JSONFlag(cmd)
	return cmd
}

func doRequest(ctx context.Context, p *program.Program, o site.Options) error {
	s, err := p.Open(ctx, o, !o.Attended)
	if err != nil {
		return err
	}
	defer s.Close()
	to := p.Front(!o.Attended)
	to.Out = p.Err // the standard output is the request alone
	letter, err := steps.Request(ctx, s, to)
	if err != nil {
		return err
	}
	if p.JSON {
		program.WriteJSON(p.Out, LetterData{File: letter.File, Words: letter.Words, Text: string(letter.Text)}, nil)
		return nil
	}
	fmt.Fprintf(p.Out, "%s", letter.Text)
	fmt.Fprintf(p.Err, `
The request above is also in %s. Send it to your coordinator: it holds nothing secret.
Your words, for the telephone: %s
When the reply is there: flwrup join FILE
`, letter.File, letter.Words)
	return nil
}

// AdmitData is what `flwrup admit --json` carries.
type AdmitData struct {
	Replies []LetterData `json:"replies"`
}

// LetterData is a letter, for programs.
type LetterData struct {
	File  string `json:"file"`
	Words string `json:"words"`
	Text  string `json:"text"`
}

func admitCommand(p *program.Program) *cobra.Command {
	var words []string
	cmd := &cobra.Command{
		Use:   "admit FILE…",
		Short: "Register the SuperNodes of other sites, and write the replies",
		Long: `For the coordinator of a federation. Takes requests that sites made with flwrup request: registers
their public keys, adds them to the federation, and writes a reply for each. "-" reads the standard
input. To admit a request twice changes nothing.

A request can be changed on its way. So call each site, have them read their four words, and
compare; --words gives them without a question, once for each request.`,
		Args: program.OneOrMore("file", "a site makes one with `flwrup request`"),
		RunE: func(cmd *cobra.Command, files []string) error {
			return doAdmit(cmd.Context(), p, files, words)
		},
	}
	cmd.Flags().StringArrayVar(&words, "words", nil, "the four `words` that a site has read out")
	p.JSONFlag(cmd)
	return cmd
}

func doAdmit(ctx context.Context, p *program.Program, files, words []string) error {
	var requests []admission.SealedRequest
	for _, file := range files {
		text, err := letter(p, file)
		if err != nil {
			return err
		}
		found, err := admission.OpenRequests(text)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		requests = append(requests, found...)
	}
	attended := p.Attended() && !p.JSON
	s, err := p.Open(ctx, site.Options{Dir: p.FindDir(), Attended: attended}, !attended)
	if err != nil {
		return err
	}
	defer s.Close()
	to := p.Front(!attended)
	var replies []LetterData
	for _, r := range requests {
		var letter sites.Letter
		if letter, err = steps.Admit(ctx, s, r, wordsFor(r, words), to); err != nil {
			break
		}
		replies = append(replies, LetterData{File: letter.File, Words: letter.Words, Text: string(letter.Text)})
	}
	if !p.JSON || len(replies) == 0 {
		return err
	}
	program.WriteJSON(p.Out, AdmitData{Replies: replies}, err) // those before the error are admitted
	if err != nil {
		return program.AlreadySaid(err)
	}
	return nil
}

// wordsFor returns the given words that are those of r; of a single request, the given ones, right or wrong.
func wordsFor(r admission.SealedRequest, words []string) string {
	if len(words) == 0 {
		return ""
	}
	own := r.Words()
	for _, w := range words {
		if sites.SameWords(w, own) {
			return w
		}
	}
	return words[0]
}

func joinCommand(p *program.Program) *cobra.Command {
	var words string
	var o upOptions
	cmd := &cobra.Command{
		Use:   "join FEDERATION|FILE",
		Short: "Come into a federation that someone else coordinates, and start SuperNodes",
		Long: `With an account of your own: FEDERATION is @account/name. flwrup accepts the invitation that its
coordinator sent with flwrup invite, after the login, then continues with the 16 steps. To join
twice changes nothing.

Without one: FILE is the reply to the request of this folder; "-" reads the standard input. A reply
can be changed on its way. So call your coordinator, have them read their four words, and compare;
--words gives them without a question. A later reply has to be signed with the same key.`,
		Args: cobra.MatchAll(program.OneOrMore("federation or file", "the coordinator tells you @account/federation, or makes a file with `flwrup admit`"), cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.HasPrefix(args[0], "@") {
				return doJoinFederation(cmd.Context(), p, cmd, args[0], o)
			}
			for _, flag := range joinFlags {
				if cmd.Flags().Changed(flag) {
					return problem.New(problem.Usage, "cannot use --"+flag+" with a reply", "the reply says it, or the request did", "leave --"+flag+" out")
				}
			}
			return doJoin(cmd.Context(), p, args[0], words, front.StepID(o.until))
		},
	}
	f, c := cmd.Flags(), &o.choices
	f.StringVar(&words, "words", "", "of a reply: the four `words` that the coordinator has read out")
	f.IntVar(&o.until, "until", front.StepTotal, "the `step` after which to stop: 10 registers, or takes the reply, and starts nothing")
	f.IntVar(&c.Nodes, "nodes", 0, "`number` of SuperNodes")
	gridFlags(f, c)
	f.StringVar(&c.Runtime, "runtime", project.RuntimeAuto, "auto, docker or process")
	f.StringVar(&o.passphraseFile, "passphrase-file", "", "`file`, from here, with the passphrase of the backup; its place is kept in flwrup.toml")
	f.BoolVarP(&o.yes, "yes", "y", false, "answer every question with its default")
	p.JSONFlag(cmd)
	return cmd
}

// joinFlags are the flags of `flwrup join` for a federation; a reply has their values in it.
var joinFlags = []string{"nodes", "connection", "control", "fleet", "ca", "runtime", "passphrase-file", "yes"}

func doJoinFederation(ctx context.Context, p *program.Program, cmd *cobra.Command, federation string, o upOptions) error {
	if _, _, err := flwrexec.ParseFederation(federation); err != nil {
		return err
	}
	if cmd.Flags().Changed("words") {
		return problem.New(problem.Usage, "cannot use --words with a federation", "they belong to a reply", "leave --words out")
	}
	yes, dir := o.yes || p.JSON || !p.Attended(), p.FindDir()
	s, err := p.Open(ctx, site.Options{Dir: dir, Create: true, Attended: !yes, Join: federation, PassphraseFile: o.passphraseFile, Choose: o.choose(cmd, dir)}, yes)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := steps.JoinFederation(ctx, s, federation); err != nil {
		return err
	}
	return walk(ctx, p, s, p.Front(yes), front.StepID(o.until))
}

func inviteCommand(p *program.Program) *cobra.Command {
	revoke, yes := false, false
	cmd := &cobra.Command{
		Use:   "invite [@ACCOUNT…]",
		Short: "Invite Flower accounts to the federation, or list who is invited",
		Long: `For the owner of the federation, and sites that have Flower accounts of their own. Who accepts runs
SuperNodes with their own keys and their own login: flwrup join @account/federation. Without a name
it lists the members and the open invitations. To invite an account twice changes nothing.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if revoke && len(args) == 0 {
				return problem.New(problem.Usage, "cannot revoke", "no account named", "`flwrup invite` lists the open invitations")
			}
			return doInvite(cmd.Context(), p, args, revoke, yes || !p.Attended() || p.JSON)
		},
	}
	cmd.Flags().BoolVar(&revoke, "revoke", false, "take open invitations back")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	p.JSONFlag(cmd)
	return cmd
}

func doInvite(ctx context.Context, p *program.Program, accounts []string, revoke, yes bool) error {
	accounts, err := invites.Parse(accounts)
	if err != nil {
		return err
	}
	s, err := p.Open(ctx, site.Options{Dir: p.FindDir(), Attended: !yes}, yes)
	if err != nil {
		return err
	}
	defer s.Close()
	state, err := steps.Invite(ctx, s, accounts, revoke, p.Front(yes))
	if err != nil {
		return err
	}
	if p.JSON {
		program.WriteJSON(p.Out, state, nil)
		return nil
	}
	for _, line := range state.Lines() {
		p.Say("%s", line)
	}
	return nil
}

func doJoin(ctx context.Context, p *program.Program, file, words string, until front.StepID) error {
	text, err := letter(p, file)
	if err != nil {
		return err
	}
	attended := p.Attended() && !p.JSON
	s, err := p.Open(ctx, site.Options{Dir: p.FindDir(), Attended: attended}, !attended)
	if err != nil {
		return err
	}
	defer s.Close()
	to := p.Front(!attended)
	if err := steps.Join(ctx, s, text, words, to); err != nil {
		return err
	}
	return walk(ctx, p, s, to, until)
}

// letter reads a letter from a file, or from the standard input.
func letter(p *program.Program, file string) ([]byte, error) {
	if file == "-" && p.In != nil {
		return io.ReadAll(io.LimitReader(p.In, sites.LetterLimit))
	}
	return sites.ReadLetter(file)
}
