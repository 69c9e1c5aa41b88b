"""Three planes of a case in the browser: image, tumour, External2 and heat map."""
