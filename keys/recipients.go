package keys

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"

	"flwrup/internal/problem"
)

// passphraseWork is the scrypt work factor as a power of two: age's own default. Each try of a passphrase
// takes about a second on a current machine.
const passphraseWork = 18

// PassphraseRecipient returns the two ends of a passphrase: the recipient encrypts a backup, the identity
// opens it. Each use takes about a second of work on purpose. A passphrase cannot be combined with other
// recipients.
func PassphraseRecipient(pass string) (age.Recipient, age.Identity, error) {
	return passphrase(pass, passphraseWork)
}

func passphrase(pass string, work int) (age.Recipient, age.Identity, error) {
	if strings.TrimSpace(pass) == "" {
		return nil, nil, problem.New(problem.BadInput, "the passphrase is empty", "", "give one; several words are easy to keep and hard to guess")
	}
	recipient, err := age.NewScryptRecipient(pass)
	if err != nil {
		return nil, nil, fmt.Errorf("take the passphrase: %w", err)
	}
	recipient.SetWorkFactor(work)
	identity, err := age.NewScryptIdentity(pass)
	if err != nil {
		return nil, nil, fmt.Errorf("take the passphrase: %w", err)
	}
	// A file may ask for more work than flwrup and age ever do, up to gigabytes. Such a file is refused.
	identity.SetMaxWorkFactor(max(work, passphraseWork))
	return recipient, identity, nil
}

// ReadPassphrase returns the first line of a file, for unattended use.
func ReadPassphrase(file string) (string, error) {
	data, err := readSmall(file)
	if err != nil {
		return "", fileProblem("read", file, err)
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	pass := strings.TrimSuffix(string(line), "\r")
	if strings.TrimSpace(pass) == "" {
		return "", problem.New(problem.BadInput, "the first line of "+show(file)+" is empty", "the passphrase is read from there", "write the passphrase into the first line")
	}
	return pass, nil
}

// ReadIdentities returns the age identities of a file, as age-keygen writes it.
func ReadIdentities(file string) ([]age.Identity, error) {
	data, err := readSmall(file)
	if err != nil {
		return nil, fileProblem("read", file, err)
	}
	list, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		return nil, problem.New(problem.BadInput, show(file)+" has no age identity", "", "name the file that age-keygen wrote, with a line that starts with AGE-SECRET-KEY-")
	}
	return list, nil
}

// ParseRecipients takes age recipients (age1…), separated by commas or spaces, or the name of a file with one
// a line, where '#' starts a comment.
func ParseRecipients(list string) ([]age.Recipient, error) {
	text := strings.Join(strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }), "\n")
	where := "the list of recipients"
	if strings.Contains(list, "AGE-SECRET-KEY-") || strings.Contains(list, "AGE-PLUGIN-") {
		return nil, secretAsRecipient("a secret age key was given as a recipient")
	}
	if !strings.HasPrefix(text, "age1") {
		data, err := readSmall(list)
		if err != nil {
			return nil, fileProblem("read recipients from", list, err)
		}
		text, where = string(data), show(list)
		if strings.Contains(text, "AGE-SECRET-KEY-") {
			return nil, secretAsRecipient(where + " holds secret age keys, not recipients")
		}
	}
	recipients, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil || len(recipients) == 0 {
		return nil, &problem.Problem{Code: problem.BadInput, What: where + " is not one of age recipients",
			Why: "a recipient starts with age1 and is complete to the last letter", Fix: "copy it again; age-keygen -y KEYFILE shows it", Err: err}
	}
	return recipients, nil
}

func secretAsRecipient(what string) error {
	return problem.New(problem.BadInput, what, "a backup is encrypted to the public half",
		"give the line that starts with age1; age-keygen -y KEYFILE shows it")
}

func readSmall(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(data) > maxKeyFile {
		err = errors.New("it is too large")
	}
	return data, err
}
