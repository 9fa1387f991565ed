package strength

import (
	"math"
	"testing"
)

func TestBits(t *testing.T) {
	known := []string{"flower", "hospital"}
	for pass, atMost := range map[string]float64{
		"":         0,
		"password": 0, "PASSWORD": 1, "Password": 1, // the first of its list, and its case
		"p@ssw0rd": 1, "pa$5word": 1, "pet1t": 15, // signs for letters, including two for one
		"elizabeth": 10, "smith": 10, // names
		"hospital": 1, "flower": 0, "fl0wer": 0, // the known words
		"qwertyuiop": 11, "789456123": 20, "asdfgh": 12, // neighbouring keys
		"abcdefgh": 4, "hgfedcba": 9, "23456789": 7, // sequences
		"aaaaaaaaaaaa": 9, "AaAaAaAa": 10, "ああああああ": 10, // repetitions
		"01.02.1990": 18, "1990-02-01": 18, "19900201": 16, "2/1/90": 18, "010290": 16, // dates
		"passwordpassword": 1, "password1990-02-01smith": 28, // some of them
	} {
		if got := Bits(pass, known); got > atMost || got < 0 {
			t.Errorf("%q: %.1f bits, at most %.1f expected", pass, got, atMost)
		}
	}
	for pass, atLeast := range map[string]float64{
		"zu8$Kp!3": 40, "99.99.1990": 20, "パスワード長い合言葉": 30, "teapot glacier quarry": 40,
	} {
		if got := Bits(pass, known); got < atLeast || math.IsInf(got, 0) {
			t.Errorf("%q: %.1f bits, at least %.1f expected", pass, got, atLeast)
		}
	}
}

func FuzzBits(f *testing.F) {
	for _, pass := range []string{"p@ssw0rd 1.2.1990", "qwerty\xff\xffAAA", "İİİ|7|7", "ああああ987"} {
		f.Add(pass)
	}
	f.Fuzz(func(t *testing.T, pass string) {
		if pass = pass[:min(len(pass), 32)]; Bits(pass, nil) < 0 || Bits(pass, []string{"x"}) > 8*32 {
			t.Errorf("%q: %v bits", pass, Bits(pass, nil))
		}
	})
}
